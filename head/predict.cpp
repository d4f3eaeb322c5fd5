// head/predict.cpp: a trained head's probabilities, from the kernel as it lies in memory: no copy into slabs.
#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <string>

#include "head/primal_kernel.hpp"
#include "head/softmax_cross_entropy.hpp"
#include "head/tiled_rows.hpp"
#include "head/trainer.hpp"
#include "head/upper_layers.hpp"
#include "head/workers.hpp"

namespace headstart {
namespace {

constexpr std::size_t kRowsPerTask = 32;
constexpr Eigen::Index kTileFloats = 32'768;  // 128 KiB of W: stays in L2 while the task's rows use it

// X[rows] W.
Matrix product(const TiledRows& matrix, std::span<const RowIndex> rows, const Matrix& kernel) {
  const PrimalKernel routines = best_primal_kernel();
  const auto width = static_cast<std::size_t>(kernel.cols());
  const std::span<const float> weights(kernel.data(), static_cast<std::size_t>(kernel.size()));
  Matrix z = Matrix::Zero(static_cast<Eigen::Index>(rows.size()), kernel.cols());
  const std::span<float> all_z(z.data(), static_cast<std::size_t>(z.size()));
  Workers workers(0);
  workers.for_each((rows.size() + kRowsPerTask - 1) / kRowsPerTask, [&](std::size_t task) {
    const std::size_t first_row = task * kRowsPerTask;
    const std::span<const RowIndex> share =
        rows.subspan(first_row, std::min(kRowsPerTask, rows.size() - first_row));
    const std::span<float> share_z = all_z.subspan(first_row * width, share.size() * width);
    for (std::size_t tile = 0; tile < matrix.tiles(); ++tile) {
      const auto first = static_cast<std::size_t>(matrix.first_feature(tile));
      const auto end = static_cast<std::size_t>(matrix.end_feature(tile));
      matrix.add_products(share, tile, weights.subspan(first * width, (end - first) * width), width, share_z,
                          routines);
    }
  });
  return z;
}

}  // namespace

Matrix predict_logits(const Head& head, const FeatureRows& features, std::span<const RowIndex> rows) {
  if (head.layers.empty()) throw std::invalid_argument("predict: the head has no layer");
  const Matrix& kernel = head.layers.front().kernel;
  if (kernel.rows() != features.columns) {
    throw std::invalid_argument("predict: the head takes " + std::to_string(kernel.rows()) +
                                " features, found " + std::to_string(features.columns));
  }
  const std::int64_t tile_features =
      std::max<Eigen::Index>(1, kTileFloats / std::max<Eigen::Index>(1, kernel.cols()));
  const TiledRows matrix(features, tile_features);
  UpperLayers upper(head.layers);
  return std::move(upper.forward(product(matrix, rows, kernel)));
}

Matrix predict_probabilities(const Head& head, const FeatureRows& features, std::span<const RowIndex> rows) {
  Matrix probabilities = predict_logits(head, features, rows);
  softmax(probabilities);
  return probabilities;
}

}  // namespace headstart
