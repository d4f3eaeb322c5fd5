// head/representation/dense_representation.cpp
#include "head/representation/dense_representation.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <stdexcept>
#include <string>

#include "head/workers.hpp"

namespace headstart {

TransformedRows::TransformedRows(const FittedTransform& fitted, const DenseRowsView& pooled, int threads)
    : pooled_(pooled) {
  if (fitted.transform == Transform::kScale) factor_ = fitted.scale;
  if (fitted.transform == Transform::kUnit) {
    row_factors_.resize(pooled.rows());
    Workers workers(threads);
    workers.for_each(pooled.rows(), [&](std::size_t row) {
      row_factors_[row] = static_cast<float>(1.0 / std::max(norm_of(pooled.row(row)), kLeastNorm));
    });
  }
  if (fitted.transform == Transform::kStandardize) {
    if (fitted.mean.size() != pooled.columns) {
      throw std::invalid_argument("representation: a row has " + std::to_string(pooled.columns) +
                                  " features, the transform was fitted to " +
                                  std::to_string(fitted.mean.size()));
    }
    for (Eigen::Index c = 0; c < fitted.mean.size(); ++c) {
      means_.push_back(static_cast<float>(fitted.mean(c)));
      mean_rests_.push_back(static_cast<float>(fitted.mean(c) - static_cast<double>(means_.back())));
      column_factors_.push_back(fitted.inverse_deviation(c));
    }
  }
}

AffineRows TransformedRows::rows() const noexcept {
  return {.rows = pooled_,
          .row_factors = row_factors_,
          .means = means_,
          .mean_rests = mean_rests_,
          .column_factors = column_factors_,
          .factor = factor_};
}

}  // namespace headstart
