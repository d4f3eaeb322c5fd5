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

#include "head/workers.hpp"

namespace headstart {
namespace {

constexpr double kLeastNorm = 1e-12;  // the epsilon of Keras 3's UnitNormalization
constexpr double kLeastShareOfMedian = 0.1;

[[noreturn]] void refuse(const std::string& what) { throw std::invalid_argument("representation: " + what); }

void check_rows(const SparseRowsView& rows, std::span<const RowIndex> which) {
  if (which.empty()) refuse("there is no row to measure");
  for (const RowIndex row : which) {
    if (row < 0 || static_cast<std::size_t>(row) >= rows.rows()) {
      refuse("row " + std::to_string(row) + " is not one of the " + std::to_string(rows.rows()) +
             " feature rows");
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

// Takes two passes, so that a feature with the same value in every row has a deviation of exactly zero.
void fit_standardize(const SparseRowsView& rows, std::span<const RowIndex> training,
                     FittedTransform& fitted) {
  const auto columns = static_cast<std::size_t>(rows.columns);
  const auto count = static_cast<double>(training.size());
  std::vector<double> means(columns, 0.0);
  std::vector<double> entries(columns, 0.0);
  for (const RowIndex row : training) {
    const auto indices = rows.row_indices(row);
    const auto values = rows.row_values(row);
    for (std::size_t i = 0; i < indices.size(); ++i) {
      means[static_cast<std::size_t>(indices[i])] += static_cast<double>(values[i]);
      entries[static_cast<std::size_t>(indices[i])] += 1.0;
    }
  }
  for (double& mean : means) mean /= count;

  std::vector<double> deviations(columns);
  for (std::size_t c = 0; c < columns; ++c) deviations[c] = (count - entries[c]) * means[c] * means[c];
  for (const RowIndex row : training) {
    const auto indices = rows.row_indices(row);
    const auto values = rows.row_values(row);
    for (std::size_t i = 0; i < indices.size(); ++i) {
      const auto c = static_cast<std::size_t>(indices[i]);
      const double distance = static_cast<double>(values[i]) - means[c];
      deviations[c] += distance * distance;
    }
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
    const double norm = std::max(std::sqrt(squared_norm(row)), kLeastNorm);
    for (float& value : row) value = static_cast<float>(static_cast<double>(value) / norm);
  }
}

}  // namespace

std::int64_t pooled_columns(Pooling pooling, std::int64_t columns, std::int64_t channels) noexcept {
  return pooling == Pooling::kFlatten ? columns : channels;
}

SparseRows pool(const SparseRowsView& maps, std::int64_t channels, Pooling pooling, int threads) {
  if (channels < 1 || maps.columns < channels || maps.columns % channels != 0) {
    refuse(std::to_string(maps.columns) + " features are no whole number of positions of " +
           std::to_string(channels) + " channels");
  }
  if (pooling == Pooling::kFlatten) return copy_of(maps);
  const std::int64_t positions = maps.columns / channels;
  const auto width = static_cast<std::size_t>(channels);
  std::vector<float> dense(maps.rows() * width);
  Workers workers(threads);
  workers.for_each(maps.rows(), [&](std::size_t r) {
    const std::span<float> pooled = std::span(dense).subspan(r * width, width);
    pool_row(pooling, maps.row_indices(r), maps.row_values(r), positions, pooled);
  });
  SparseRows result;
  result.columns = channels;
  for (std::size_t r = 0; r < maps.rows(); ++r) {
    result.append_dense(std::span(dense).subspan(r * width, width));
  }
  return result;
}

FittedTransform fit_transform(Transform transform, const SparseRowsView& pooled,
                              std::span<const RowIndex> training) {
  FittedTransform fitted;
  fitted.transform = transform;
  if (transform == Transform::kScale) return fit_scale(mean_squared_norm(pooled, training));
  if (transform == Transform::kStandardize) {
    check_rows(pooled, training);
    fit_standardize(pooled, training, fitted);
  }
  return fitted;
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
  check_rows(rows, which);
  double sum = 0.0;
  for (const RowIndex row : which) sum += squared_norm(rows.row_values(row));
  return sum;
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
