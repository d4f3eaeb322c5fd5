// head/insight/nearest_rows.cpp
#include "head/insight/nearest_rows.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace headstart {
namespace {

double length_of(std::span<const float> values) {
  double sum = 0.0;
  for (const float value : values) sum += static_cast<double>(value) * static_cast<double>(value);
  return std::sqrt(sum);
}

bool nearer(const NearRow& a, const NearRow& b) {
  return a.cosine > b.cosine || (a.cosine == b.cosine && a.row < b.row);
}

}  // namespace

NearestRows::NearestRows(const SparseRowsView& queries, std::size_t most)
    : unit_(Matrix::Zero(queries.columns, static_cast<Eigen::Index>(queries.rows()))),
      most_(most),
      found_(queries.rows()) {
  for (Eigen::Index query = 0; query < unit_.cols(); ++query) {
    const auto row = static_cast<RowIndex>(query);
    const auto indices = queries.row_indices(row);
    const auto values = queries.row_values(row);
    const double length = length_of(values);
    if (length == 0.0) continue;
    for (std::size_t i = 0; i < indices.size(); ++i)
      unit_(indices[i], query) = static_cast<float>(static_cast<double>(values[i]) / length);
  }
}

void NearestRows::add(const SparseRowsView& candidates, RowIndex first) {
  if (candidates.columns != unit_.rows()) throw std::invalid_argument("nearest rows: other columns");
  RowVector products(unit_.cols());
  for (RowIndex candidate = 0; candidate < static_cast<RowIndex>(candidates.rows()); ++candidate) {
    const auto indices = candidates.row_indices(candidate);
    const auto values = candidates.row_values(candidate);
    products.setZero();
    for (std::size_t i = 0; i < indices.size(); ++i) products += values[i] * unit_.row(indices[i]);
    const double length = length_of(values);
    for (std::size_t query = 0; query < found_.size(); ++query) {
      const double cosine =
          length > 0.0 ? static_cast<double>(products(static_cast<Eigen::Index>(query))) / length : 0.0;
      std::vector<NearRow>& near = found_[query];
      const NearRow row{first + candidate, cosine};
      if (near.size() == most_ && !nearer(row, near.back())) continue;
      near.insert(std::upper_bound(near.begin(), near.end(), row, nearer), row);
      if (near.size() > most_) near.pop_back();
    }
  }
}

}  // namespace headstart
