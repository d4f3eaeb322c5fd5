// head/training/predict.cpp: computes a trained head's probabilities with the first kernel in its normal
// layout, without a copy.
#include <stdexcept>
#include <string>
#include <utility>

#include "head/layers/dense_solver.hpp"
#include "head/layers/softmax_cross_entropy.hpp"
#include "head/layers/sparse_product.hpp"
#include "head/layers/tiled_rows.hpp"
#include "head/layers/upper_layers.hpp"
#include "head/training/trainer.hpp"
#include "head/workers.hpp"

namespace headstart {
namespace {

const Matrix& checked_kernel(const Head& head, std::int64_t features) {
  if (head.layers.empty()) throw std::invalid_argument("predict: the head has no layer");
  const Matrix& kernel = head.layers.front().kernel;
  if (kernel.rows() != features) {
    throw std::invalid_argument("predict: the head takes " + std::to_string(kernel.rows()) +
                                " features, found " + std::to_string(features));
  }
  return kernel;
}

}  // namespace

Matrix predict_logits(const Head& head, const AffineRows& features, std::span<const RowIndex> rows) {
  DenseSolver first(features, checked_kernel(head, features.columns()), 0);
  return predict_logits(first, head.layers, rows);
}

Matrix predict_logits(const Head& head, const SparseRowsView& features, std::span<const RowIndex> rows) {
  const Matrix& kernel = checked_kernel(head, features.columns);
  Workers workers(0);
  UpperLayers upper(head.layers);
  return std::move(upper.forward(sparse_product(TiledRows(features, kTileFeatures), rows, kernel, workers)));
}

Matrix predict_logits(FirstLayer& first, std::span<const Dense> layers, std::span<const RowIndex> rows) {
  if (layers.empty()) throw std::invalid_argument("predict: the head has no layer");
  Matrix z(static_cast<Eigen::Index>(rows.size()), layers.front().bias.size());
  first.forward(rows, z);
  UpperLayers upper(layers);
  return std::move(upper.forward(z));
}

Matrix predict_probabilities(const Head& head, const SparseRowsView& features,
                             std::span<const RowIndex> rows) {
  Matrix probabilities = predict_logits(head, features, rows);
  softmax(probabilities);
  return probabilities;
}

}  // namespace headstart
