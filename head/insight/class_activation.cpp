// head/insight/class_activation.cpp
#include "head/insight/class_activation.hpp"

#include <algorithm>
#include <stdexcept>
#include <vector>

#include "memory/sparse_rows.hpp"

namespace headstart {
namespace {

Matrix dense_rows(const SparseRowsView& rows) {
  Matrix dense = Matrix::Zero(static_cast<Eigen::Index>(rows.rows()), rows.columns);
  for (Eigen::Index row = 0; row < dense.rows(); ++row) {
    const auto index = static_cast<RowIndex>(row);
    expand(rows.row_indices(index), rows.row_values(index),
           {dense.row(row).data(), static_cast<std::size_t>(dense.cols())});
  }
  return dense;
}

/// d logit_c / d x for each row x of the head's input.
Matrix logit_gradients(const Matrix& input, const Head& head, std::span<const std::int32_t> classes) {
  std::vector<Matrix> activations;  // after each layer but the last
  for (std::size_t i = 0; i + 1 < head.layers.size(); ++i) {
    const Dense& dense = head.layers[i];
    Matrix z = (i == 0 ? input : activations.back()) * dense.kernel;
    z.rowwise() += dense.bias;
    activations.push_back(z.cwiseMax(0.0F));
  }
  Matrix gradient = Matrix::Zero(input.rows(), head.layers.back().bias.size());
  for (Eigen::Index row = 0; row < gradient.rows(); ++row)
    gradient(row, classes[static_cast<std::size_t>(row)]) = 1.0F;
  for (std::size_t i = head.layers.size(); i-- > 0;) {
    gradient = (gradient * head.layers[i].kernel.transpose()).eval();
    if (i > 0)
      gradient = gradient.cwiseProduct((activations[i - 1].array() > 0.0F).cast<float>().matrix()).eval();
  }
  return gradient;
}

/// Backpropagates through x / |x|: (g - (g . u) u) / |x| with u = x / |x|. The gradient of a row of zeros is
/// zero.
void through_unit_length(const Matrix& rows, Matrix& gradient) {
  for (Eigen::Index row = 0; row < rows.rows(); ++row) {
    const float length = rows.row(row).norm();
    if (length == 0.0F) {
      gradient.row(row).setZero();
      continue;
    }
    const RowVector unit = rows.row(row) / length;
    const float along = gradient.row(row).dot(unit);
    gradient.row(row) = (gradient.row(row) - along * unit) / length;
  }
}

}  // namespace

Matrix class_activation_maps(const SparseRowsView& maps, std::int64_t channels,
                             const Representation& representation, const Head& head,
                             std::span<const std::int32_t> classes, int threads) {
  if (maps.rows() != classes.size() || channels < 1 || maps.columns % channels != 0 || head.layers.empty())
    throw std::invalid_argument("class activation: maps and classes do not fit each other");
  const auto count = static_cast<std::int32_t>(head.layers.back().bias.size());
  if (std::any_of(classes.begin(), classes.end(), [&](std::int32_t c) { return c < 0 || c >= count; }))
    throw std::invalid_argument("class activation: there is no such class");
  Matrix rows = dense_rows(pool(maps, channels, representation.pooling, threads).view());
  if (rows.cols() != head.layers.front().kernel.rows())
    throw std::invalid_argument("class activation: the head takes other rows");
  const bool unit = representation.transform == Transform::kUnit;
  Matrix input = rows;
  if (unit) input.rowwise().normalize();  // a row of zeros stays zero
  Matrix gradient = logit_gradients(input, head, classes);
  if (unit) through_unit_length(rows, gradient);

  // alpha: the gradient of a pooled feature counts for all of its positions together, wherever its value came
  // from.
  const std::int64_t positions = maps.columns / channels;
  const std::int64_t left = pooled_columns(representation.pooling, maps.columns, channels) / channels;
  Matrix result = Matrix::Zero(rows.rows(), positions);
  for (Eigen::Index row = 0; row < rows.rows(); ++row) {
    RowVector alpha = RowVector::Zero(channels);
    for (std::int64_t position = 0; position < left; ++position)
      alpha += gradient.row(row).segment(position * channels, channels);
    alpha /= static_cast<float>(positions);
    const auto index = static_cast<RowIndex>(row);
    const auto indices = maps.row_indices(index);
    const auto values = maps.row_values(index);
    for (std::size_t i = 0; i < indices.size(); ++i)
      result(row, indices[i] / channels) += alpha(indices[i] % channels) * values[i];
  }
  return result.cwiseMax(0.0F);
}

}  // namespace headstart
