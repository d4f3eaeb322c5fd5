// head/representation/representation.cpp
#include "head/representation/representation.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "head/representation/dense_representation.hpp"
#include "head/workers.hpp"

namespace headstart {
namespace {

constexpr double kLeastShareOfMedian = 0.1;

[[noreturn]] void refuse(const std::string& what) { throw std::invalid_argument("representation: " + what); }

void check_rows(std::size_t rows, std::span<const RowIndex> which) {
  if (which.empty()) refuse("there is no row to measure");
  for (const RowIndex row : which) {
    if (row < 0 || static_cast<std::size_t>(row) >= rows) {
      refuse("row " + std::to_string(row) + " is not one of the " + std::to_string(rows) + " feature rows");
    }
  }
}

SparseRows copy_of(const SparseRowsView& rows) {
  SparseRows copy;
  copy.append(rows);
  return copy;
}

void average_row(std::span<const std::int32_t> indices, std::span<const float> values, std::int64_t positions,
                 std::span<float> pooled) {
  std::vector<double> sums(pooled.size(), 0.0);
  for (std::size_t i = 0; i < indices.size(); ++i) {
    sums[static_cast<std::size_t>(indices[i]) % pooled.size()] += static_cast<double>(values[i]);
  }
  std::transform(sums.begin(), sums.end(), pooled.begin(),
                 [&](double sum) { return static_cast<float>(sum / static_cast<double>(positions)); });
}

void maximum_row(std::span<const std::int32_t> indices, std::span<const float> values, std::int64_t positions,
                 std::span<float> pooled) {
  std::vector<std::int64_t> seen(pooled.size(), 0);
  for (std::size_t i = 0; i < indices.size(); ++i) {
    const std::size_t channel = static_cast<std::size_t>(indices[i]) % pooled.size();
    pooled[channel] = seen[channel]++ == 0 ? values[i] : std::max(pooled[channel], values[i]);
  }
  // A position without an entry is a zero, which counts for the maximum.
  for (std::size_t c = 0; c < pooled.size(); ++c) {
    if (seen[c] == 0) pooled[c] = 0.0F;
    if (seen[c] < positions) pooled[c] = std::max(pooled[c], 0.0F);
  }
}

/// Pools the channels of one row. @param pooled  [channels], overwritten
void pool_row(Pooling pooling, std::span<const std::int32_t> indices, std::span<const float> values,
              std::int64_t positions, std::span<float> pooled) {
  switch (pooling) {
    case Pooling::kFlatten:
      return refuse("a flattened row is not pooled");
    case Pooling::kAverage:
      return average_row(indices, values, positions, pooled);
    case Pooling::kMaximum:
      return maximum_row(indices, values, positions, pooled);
  }
}

void check_positions(const SparseRowsView& maps, std::int64_t channels) {
  if (channels >= 1 && maps.columns >= channels && maps.columns % channels == 0) return;
  refuse(std::to_string(maps.columns) + " features are no whole number of positions of " +
         std::to_string(channels) + " channels");
}

double squared_norm(std::span<const float> values) {
  double sum = 0.0;
  for (const float value : values) sum += static_cast<double>(value) * static_cast<double>(value);
  return sum;
}

/// The median; zero if there is no value.
double median(std::vector<double> values) {
  if (values.empty()) return 0.0;
  const auto upper = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), upper, values.end());
  if (values.size() % 2 == 1) return *upper;
  return 0.5 * (*upper + *std::max_element(values.begin(), upper));
}

double least_deviation(const std::vector<double>& deviations) {
  double middle = median(deviations);
  if (middle == 0.0) {
    std::vector<double> varying;
    std::copy_if(deviations.begin(), deviations.end(), std::back_inserter(varying),
                 [](double deviation) { return deviation > 0.0; });
    if (varying.empty()) return 1.0;
    middle = median(std::move(varying));
  }
  return kLeastShareOfMedian * middle;
}

// The entries of a row, or the whole row.
std::span<const float> values_of(const SparseRowsView& rows, RowIndex row) { return rows.row_values(row); }
std::span<const float> values_of(const DenseRowsView& rows, RowIndex row) { return rows.row(row); }

// Calls visit(column, value) for each entry of a row.
template <typename Visit>
void for_each_entry(const SparseRowsView& rows, RowIndex row, const Visit& visit) {
  const auto indices = rows.row_indices(row);
  const auto values = rows.row_values(row);
  for (std::size_t i = 0; i < indices.size(); ++i) visit(static_cast<std::size_t>(indices[i]), values[i]);
}
template <typename Visit>
void for_each_entry(const DenseRowsView& rows, RowIndex row, const Visit& visit) {
  const auto values = rows.row(row);
  for (std::size_t c = 0; c < values.size(); ++c) visit(c, values[c]);
}

// Takes two passes, so that a feature with the same value in every row has a deviation of exactly zero.
template <typename Rows>
void fit_standardize(const Rows& rows, std::span<const RowIndex> training, FittedTransform& fitted) {
  const auto columns = static_cast<std::size_t>(rows.columns);
  const auto count = static_cast<double>(training.size());
  std::vector<double> means(columns, 0.0);
  std::vector<double> entries(columns, 0.0);
  for (const RowIndex row : training) {
    for_each_entry(rows, row, [&](std::size_t c, float value) {
      means[c] += static_cast<double>(value);
      entries[c] += 1.0;
    });
  }
  for (double& mean : means) mean /= count;

  std::vector<double> deviations(columns);
  for (std::size_t c = 0; c < columns; ++c) deviations[c] = (count - entries[c]) * means[c] * means[c];
  for (const RowIndex row : training) {
    for_each_entry(rows, row, [&](std::size_t c, float value) {
      const double distance = static_cast<double>(value) - means[c];
      deviations[c] += distance * distance;
    });
  }
  for (double& deviation : deviations) deviation = std::sqrt(deviation / count);

  const double least = least_deviation(deviations);
  fitted.mean.resize(rows.columns);
  fitted.inverse_deviation.resize(rows.columns);
  for (std::size_t c = 0; c < columns; ++c) {
    fitted.mean(static_cast<Eigen::Index>(c)) = means[c];
    fitted.inverse_deviation(static_cast<Eigen::Index>(c)) =
        static_cast<float>(1.0 / std::max(deviations[c], least));
  }
}

template <typename Rows>
double sum_of_squares_of(const Rows& rows, std::span<const RowIndex> which) {
  check_rows(rows.rows(), which);
  double sum = 0.0;
  for (const RowIndex row : which) sum += squared_norm(values_of(rows, row));
  return sum;
}

template <typename Rows>
FittedTransform fit(Transform transform, const Rows& pooled, std::span<const RowIndex> training) {
  FittedTransform fitted;
  fitted.transform = transform;
  if (transform == Transform::kScale)
    return fit_scale(sum_of_squares_of(pooled, training) / static_cast<double>(training.size()));
  if (transform == Transform::kStandardize) {
    check_rows(pooled.rows(), training);
    fit_standardize(pooled, training, fitted);
  }
  return fitted;
}

void check_columns(const FittedTransform& fitted, std::int64_t columns, const std::string& what) {
  if (fitted.transform == Transform::kStandardize && fitted.mean.size() != columns) {
    refuse(what + " has " + std::to_string(columns) + " features, the transform was fitted to " +
           std::to_string(fitted.mean.size()));
  }
}

SparseRows standardize(const FittedTransform& fitted, const SparseRowsView& rows) {
  SparseRows result;
  result.columns = rows.columns;
  const std::size_t values = rows.rows() * static_cast<std::size_t>(rows.columns);
  result.indices.reserve(values);
  result.values.reserve(values);
  const RowVector of_zeros = -fitted.mean.cwiseProduct(fitted.inverse_deviation.cast<double>()).cast<float>();
  RowVector dense(rows.columns);
  for (std::size_t r = 0; r < rows.rows(); ++r) {
    dense = of_zeros;
    const auto indices = rows.row_indices(r);
    const auto row_values = rows.row_values(r);
    for (std::size_t i = 0; i < indices.size(); ++i) {
      const double distance = static_cast<double>(row_values[i]) - fitted.mean(indices[i]);
      dense(indices[i]) = static_cast<float>(distance) * fitted.inverse_deviation(indices[i]);
    }
    result.append_dense({dense.data(), static_cast<std::size_t>(dense.size())});
  }
  return result;
}

void divide_by_norms(SparseRows& rows) {
  for (std::size_t r = 0; r + 1 < rows.indptr.size(); ++r) {
    const auto begin = static_cast<std::size_t>(rows.indptr[r]);
    const auto end = static_cast<std::size_t>(rows.indptr[r + 1]);
    const std::span<float> row = std::span(rows.values).subspan(begin, end - begin);
    const double norm = std::max(norm_of(row), kLeastNorm);
    for (float& value : row) value = static_cast<float>(static_cast<double>(value) / norm);
  }
}

}  // namespace

double norm_of(std::span<const float> row) noexcept { return std::sqrt(squared_norm(row)); }

std::int64_t pooled_columns(Pooling pooling, std::int64_t columns, std::int64_t channels) noexcept {
  return pooling == Pooling::kFlatten ? columns : channels;
}

void pool_dense(const SparseRowsView& maps, std::int64_t channels, Pooling pooling, int threads,
                std::span<float> pooled) {
  check_positions(maps, channels);
  const auto width = static_cast<std::size_t>(channels);
  if (pooled.size() != maps.rows() * width) refuse("the pooled rows have not one place for each channel");
  Workers workers(threads);
  workers.for_each(maps.rows(), [&](std::size_t r) {
    pool_row(pooling, maps.row_indices(r), maps.row_values(r), maps.columns / channels,
             pooled.subspan(r * width, width));
  });
}

SparseRows pool(const SparseRowsView& maps, std::int64_t channels, Pooling pooling, int threads) {
  check_positions(maps, channels);
  if (pooling == Pooling::kFlatten) return copy_of(maps);
  const auto width = static_cast<std::size_t>(channels);
  std::vector<float> dense(maps.rows() * width);
  pool_dense(maps, channels, pooling, threads, dense);
  SparseRows result;
  result.columns = channels;
  for (std::size_t r = 0; r < maps.rows(); ++r) {
    result.append_dense(std::span(dense).subspan(r * width, width));
  }
  return result;
}

FittedTransform fit_transform(Transform transform, const SparseRowsView& pooled,
                              std::span<const RowIndex> training) {
  return fit(transform, pooled, training);
}

FittedTransform fit_transform(Transform transform, const DenseRowsView& pooled,
                              std::span<const RowIndex> training) {
  return fit(transform, pooled, training);
}

SparseRows apply(const FittedTransform& fitted, const SparseRowsView& rows) {
  check_columns(fitted, rows.columns, "a row");
  if (fitted.transform == Transform::kStandardize) return standardize(fitted, rows);
  return apply(fitted, copy_of(rows));
}

SparseRows apply(const FittedTransform& fitted, SparseRows&& rows) {
  check_columns(fitted, rows.columns, "a row");
  if (fitted.transform == Transform::kStandardize) return standardize(fitted, rows.view());
  SparseRows result = std::move(rows);
  if (fitted.transform == Transform::kUnit) divide_by_norms(result);
  if (fitted.transform == Transform::kScale) {
    for (float& value : result.values) value *= fitted.scale;
  }
  return result;
}

FittedTransform fit_scale(double mean_squared_norm) {
  FittedTransform fitted;
  fitted.transform = Transform::kScale;
  if (mean_squared_norm > 0.0) fitted.scale = static_cast<float>(1.0 / std::sqrt(mean_squared_norm));
  return fitted;
}

double sum_of_squares(const SparseRowsView& rows, std::span<const RowIndex> which) {
  return sum_of_squares_of(rows, which);
}

double mean_squared_norm(const SparseRowsView& rows, std::span<const RowIndex> which) {
  return sum_of_squares(rows, which) / static_cast<double>(which.size());
}

Head unfold_from_first_layer(Head head, const FittedTransform& fitted) {
  if (head.layers.empty()) refuse("the head has no layer");
  Dense& first = head.layers.front();
  check_columns(fitted, first.kernel.rows(), "the first layer");
  if (fitted.transform == Transform::kScale) first.kernel /= fitted.scale;
  if (fitted.transform == Transform::kStandardize) {
    Eigen::Matrix<double, 1, Eigen::Dynamic> bias = first.bias.cast<double>();
    for (Eigen::Index i = 0; i < first.kernel.rows(); ++i) {
      bias += fitted.mean(i) * first.kernel.row(i).cast<double>();
      first.kernel.row(i) /= fitted.inverse_deviation(i);
    }
    first.bias = bias.cast<float>();
  }
  return head;
}

Head fold_into_first_layer(Head head, const FittedTransform& fitted) {
  if (head.layers.empty()) refuse("the head has no layer");
  Dense& first = head.layers.front();
  check_columns(fitted, first.kernel.rows(), "the first layer");
  if (fitted.transform == Transform::kScale) first.kernel *= fitted.scale;
  if (fitted.transform == Transform::kStandardize) {
    Eigen::Matrix<double, 1, Eigen::Dynamic> bias = first.bias.cast<double>();
    for (Eigen::Index i = 0; i < first.kernel.rows(); ++i) {
      first.kernel.row(i) *= fitted.inverse_deviation(i);
      bias -= fitted.mean(i) * first.kernel.row(i).cast<double>();
    }
    first.bias = bias.cast<float>();
  }
  return head;
}

}  // namespace headstart
