// head/training/predict.cpp: computes a trained head's probabilities with the first kernel in its normal
// layout, without a copy.
#include <algorithm>
#include <cstddef>
#include <span>
#include <stdexcept>
#include <string>

#include "head/layers/dense_solver.hpp"
#include "head/layers/softmax_cross_entropy.hpp"
#include "head/layers/sparse_product.hpp"
#include "head/layers/tiled_rows.hpp"
#include "head/layers/upper_layers.hpp"
#include "head/training/trainer.hpp"
#include "head/workers.hpp"

namespace headstart {
namespace {

constexpr std::size_t kRowsOfAPart = 4096;

const Matrix& checked_kernel(const Head& head, std::int64_t features) {
  if (head.layers.empty()) throw std::invalid_argument("predict: the head has no layer");
  const Matrix& kernel = head.layers.front().kernel;
  if (kernel.rows() != features) {
    throw std::invalid_argument("predict: the head takes " + std::to_string(kernel.rows()) +
                                " features, found " + std::to_string(features));
  }
  return kernel;
}

/// Logits of a part of the rows at a time: the activations of all would take 8 bytes for each unit.
/// @param multiply  (part, z): writes the first layer's products, [part.size(), width], to z
template <typename Multiply>
Matrix logits_in_parts(std::span<const Dense> layers, std::span<const RowIndex> rows,
                       const Multiply& multiply) {
  UpperLayers upper(layers);
  Matrix logits(static_cast<Eigen::Index>(rows.size()), layers.back().bias.size());
  Matrix z;
  for (std::size_t first = 0; first < rows.size(); first += kRowsOfAPart) {
    const std::span<const RowIndex> part = rows.subspan(first, std::min(kRowsOfAPart, rows.size() - first));
    const auto size = static_cast<Eigen::Index>(part.size());
    z.resize(size, layers.front().bias.size());
    multiply(part, z);
    logits.middleRows(static_cast<Eigen::Index>(first), size) = upper.forward(z);
  }
  return logits;
}

}  // namespace

Matrix predict_logits(const Head& head, const AffineRows& features, std::span<const RowIndex> rows) {
  DenseSolver first(features, checked_kernel(head, features.columns()), 0);
  return predict_logits(first, head.layers, rows);
}

Matrix predict_logits(const Head& head, const SparseRowsView& features, std::span<const RowIndex> rows) {
  const Matrix& kernel = checked_kernel(head, features.columns);
  Workers workers(0);
  const TiledRows tiled(features, kTileFeatures);
  return logits_in_parts(head.layers, rows, [&](std::span<const RowIndex> part, Matrix& z) {
    z = sparse_product(tiled, part, kernel, workers);
  });
}

Matrix predict_logits(FirstLayer& first, std::span<const Dense> layers, std::span<const RowIndex> rows) {
  if (layers.empty()) throw std::invalid_argument("predict: the head has no layer");
  return logits_in_parts(layers, rows,
                         [&](std::span<const RowIndex> part, Matrix& z) { first.forward(part, z); });
}

Matrix predict_probabilities(const Head& head, const SparseRowsView& features,
                             std::span<const RowIndex> rows) {
  Matrix probabilities = predict_logits(head, features, rows);
  softmax(probabilities);
  return probabilities;
}

}  // namespace headstart
