// head/representation/representation_gradient.cpp
#include "head/representation/representation_gradient.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <stdexcept>
#include <vector>

namespace headstart {
namespace {

/// In place: dLoss/d(transformed row) becomes dLoss/d(pooled row).
void through_transform(const FittedTransform& fitted, std::span<const std::int32_t> indices,
                       std::span<const float> pooled, std::span<float> dense) {
  switch (fitted.transform) {
    case Transform::kNone:
      return;
    case Transform::kScale:
      for (float& g : dense) g *= fitted.scale;
      return;
    case Transform::kStandardize:
      for (std::size_t c = 0; c < dense.size(); ++c)
        dense[c] *= fitted.inverse_deviation(static_cast<Eigen::Index>(c));
      return;
    case Transform::kUnit: {
      // y = x / |x|: dL/dx = (dL/dy - y <y, dL/dy>) / |x|.
      double squares = 0.0;
      double along = 0.0;
      for (std::size_t i = 0; i < indices.size(); ++i) {
        const auto x = static_cast<double>(pooled[i]);
        squares += x * x;
        along += x * static_cast<double>(dense[static_cast<std::size_t>(indices[i])]);
      }
      if (squares == 0.0) return;
      const double norm = std::sqrt(squares);
      for (std::size_t i = 0; i < indices.size(); ++i) {
        float& g = dense[static_cast<std::size_t>(indices[i])];
        g = static_cast<float>((static_cast<double>(g) - static_cast<double>(pooled[i]) * along / squares) /
                               norm);
      }
      return;
    }
  }
}

/// The gradient of the entries of which each has the same share in its feature.
void through_sum(float share, std::span<const std::int32_t> indices, std::span<const float> dense,
                 std::span<float> out) {
  for (std::size_t i = 0; i < indices.size(); ++i)
    out[i] = share * dense[static_cast<std::size_t>(indices[i]) % dense.size()];
}

/// The largest entry of each channel, the first of equal ones, has the whole gradient.
void through_maximum(std::span<const std::int32_t> indices, std::span<const float> values,
                     std::span<const float> dense, std::span<float> out) {
  std::vector<std::size_t> winner(dense.size(), indices.size());
  for (std::size_t i = 0; i < indices.size(); ++i) {
    std::size_t& best = winner[static_cast<std::size_t>(indices[i]) % dense.size()];
    if (best == indices.size() || values[i] > values[best]) best = i;
  }
  std::fill(out.begin(), out.end(), 0.0F);
  for (std::size_t c = 0; c < dense.size(); ++c) {
    if (winner[c] != indices.size()) out[winner[c]] = dense[c];
  }
}

/// @param dense  dLoss/d(pooled row), [pooled columns]
/// @param out    one value for each entry of the map
void through_pooling(Pooling pooling, std::span<const std::int32_t> indices, std::span<const float> values,
                     std::int64_t positions, std::span<const float> dense, std::span<float> out) {
  switch (pooling) {
    case Pooling::kFlatten:
      return through_sum(1.0F, indices, dense, out);
    case Pooling::kAverage:
      return through_sum(1.0F / static_cast<float>(positions), indices, dense, out);
    case Pooling::kMaximum:
      return through_maximum(indices, values, dense, out);
  }
}

}  // namespace

std::vector<float> representation_gradient(const SparseRowsView& maps, const SparseRowsView& pooled,
                                           const FittedTransform& fitted, Pooling pooling,
                                           const SparseRowsView& rows, std::span<const float> gradient) {
  if (maps.rows() != pooled.rows() || maps.rows() != rows.rows() || rows.columns != pooled.columns ||
      pooled.columns < 1 || maps.columns % pooled.columns != 0 || gradient.size() != rows.values.size())
    throw std::invalid_argument("representation: a gradient of other rows");
  std::vector<float> result(maps.values.size());
  std::vector<float> dense(static_cast<std::size_t>(pooled.columns));
  for (std::size_t r = 0; r < maps.rows(); ++r) {
    const auto row = static_cast<RowIndex>(r);
    const auto entries = [&](const SparseRowsView& of) { return static_cast<std::size_t>(of.indptr[r]); };
    expand(rows.row_indices(row), gradient.subspan(entries(rows), rows.row_indices(row).size()), dense);
    through_transform(fitted, pooled.row_indices(row), pooled.row_values(row), dense);
    through_pooling(pooling, maps.row_indices(row), maps.row_values(row), maps.columns / pooled.columns,
                    dense, std::span(result).subspan(entries(maps), maps.row_indices(row).size()));
  }
  return result;
}

}  // namespace headstart
