// head/search/row_factors.cpp
#include "head/search/row_factors.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace headstart {
namespace {

// Calls take(row, |x|^2) for each of `rows`, ascending, of flattened rows in memory or from a source.
template <typename Take>
void for_each_squared_norm(const SearchProblem& problem, std::span<const RowIndex> rows,
                           const Cancellation& cancellation, const Take& take) {
  const auto squared = [](std::span<const float> values) {
    const double norm = norm_of(values);
    return norm * norm;
  };
  if (problem.source == nullptr) {
    for (const RowIndex row : rows) take(row, squared(problem.flattened.row_values(row)));
    return;
  }
  for (std::size_t first = 0; first < rows.size(); first += problem.source->window) {
    cancellation.check();
    const auto part = rows.subspan(first, std::min(problem.source->window, rows.size() - first));
    const SparseRows read = problem.source->read(part);
    for (std::size_t i = 0; i < part.size(); ++i) take(part[i], squared(read.row_values(i)));
  }
}

}  // namespace

RowFactors factors_of_rows(const SearchProblem& problem, std::span<const RowIndex> members,
                           Transform transform, const Cancellation& cancellation) {
  RowFactors result{std::vector<float>(problem.labels.size(), 0.0F),
                    std::vector<double>(problem.labels.size(), 0.0)};
  for_each_squared_norm(problem, members, cancellation, [&](RowIndex row, double squared) {
    result.squared_norms[static_cast<std::size_t>(row)] = squared;
  });
  double sum = 0.0;
  for (const RowIndex row : problem.rows) sum += result.squared_norms[static_cast<std::size_t>(row)];
  const FittedTransform scale = fit_scale(sum / static_cast<double>(problem.rows.size()));
  for (const RowIndex row : members) {
    const auto r = static_cast<std::size_t>(row);
    float& factor = result.factors[r];
    factor = 1.0F;
    if (transform == Transform::kScale) factor = scale.scale;
    if (transform == Transform::kUnit)
      factor = static_cast<float>(1.0 / std::max(std::sqrt(result.squared_norms[r]), kLeastNorm));
    result.squared_norms[r] *= static_cast<double>(factor) * static_cast<double>(factor);
  }
  return result;
}

}  // namespace headstart
