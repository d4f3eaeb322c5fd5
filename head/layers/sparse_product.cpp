// head/layers/sparse_product.cpp: copies a tile of W (256 features by 64 columns) into contiguous, aligned
// memory. Every row uses the copy while it is in cache.
#include "head/layers/sparse_product.hpp"

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

#include "head/layers/batch_by_feature.hpp"
#include "head/layers/column_slab.hpp"
#include "head/layers/primal_kernel.hpp"
#include "memory/aligned_floats.hpp"

namespace headstart {
namespace {

// The rows that share one copy of a tile: enough rows that the cost of the copy is small beside that of their
// products.
constexpr std::size_t kRowsPerTask = 512;

void check_features(const TiledRows& matrix, const Matrix& kernel) {
  const SparseRowsView& features = matrix.features();
  if (kernel.rows() == features.columns) return;
  throw std::invalid_argument("sparse product: the kernel has " + std::to_string(kernel.rows()) +
                              " rows, needed one for each of " + std::to_string(features.columns) +
                              " features");
}

}  // namespace

Matrix sparse_product(const TiledRows& matrix, std::span<const RowIndex> rows, const Matrix& kernel,
                      Workers& workers) {
  check_features(matrix, kernel);
  const PrimalKernel routines = best_primal_kernel();
  Matrix result(static_cast<Eigen::Index>(rows.size()), kernel.cols());
  const std::size_t blocks = (rows.size() + kRowsPerTask - 1) / kRowsPerTask;
  const std::vector<ColumnSlab> slabs = column_slabs(kernel.cols());
  workers.for_each(slabs.size() * blocks, [&](std::size_t task) {
    const ColumnSlab& slab = slabs[task / blocks];
    const std::size_t first_row = task % blocks * kRowsPerTask;
    const std::span<const RowIndex> share =
        rows.subspan(first_row, std::min(kRowsPerTask, rows.size() - first_row));
    AlignedFloats tile_floats(static_cast<std::size_t>(matrix.tile_features()) * slab.width);
    const std::span<float> weights = tile_floats.span();
    std::fill(weights.begin(), weights.end(), 0.0F);  // the padding
    std::vector<float> z(share.size() * slab.width, 0.0F);
    for (std::size_t tile = 0; tile < matrix.tiles(); ++tile) {
      const auto first = static_cast<Eigen::Index>(matrix.first_feature(tile));
      const auto count = static_cast<Eigen::Index>(matrix.end_feature(tile)) - first;
      without_padding(weights, count, slab) = kernel.block(first, slab.first, count, slab.columns);
      matrix.add_products(share, tile, weights, slab.width, z, routines);
    }
    result.block(static_cast<Eigen::Index>(first_row), slab.first, static_cast<Eigen::Index>(share.size()),
                 slab.columns) = without_padding(z, static_cast<Eigen::Index>(share.size()), slab);
  });
  return result;
}

void add_transposed_sparse_product(const TiledRows& matrix, std::span<const RowIndex> rows,
                                   const Matrix& coefficients, float scale, Matrix& kernel,
                                   Workers& workers) {
  check_features(matrix, kernel);
  if (coefficients.rows() != static_cast<Eigen::Index>(rows.size()) || coefficients.cols() != kernel.cols()) {
    throw std::invalid_argument("sparse product: " + std::to_string(coefficients.rows()) + " x " +
                                std::to_string(coefficients.cols()) + " coefficients for " +
                                std::to_string(rows.size()) + " rows and " + std::to_string(kernel.cols()) +
                                " columns");
  }
  const PrimalKernel routines = best_primal_kernel();
  BatchByFeature by_feature;
  by_feature.assign(matrix, rows, workers);
  const std::vector<ColumnSlab> slabs = column_slabs(kernel.cols());
  workers.for_each(slabs.size(), [&](std::size_t task) {
    const ColumnSlab& slab = slabs[task];
    AlignedFloats dz(rows.size() * slab.width);
    std::fill(dz.span().begin(), dz.span().end(), 0.0F);
    without_padding(dz.span(), coefficients.rows(), slab) = coefficients.middleCols(slab.first, slab.columns);
    AlignedFloats weights(static_cast<std::size_t>(matrix.tile_features()) * slab.width);
    AlignedFloats velocity(weights.span().size());
    std::fill(weights.span().begin(), weights.span().end(), 0.0F);
    std::fill(velocity.span().begin(), velocity.span().end(), 0.0F);
    for (std::size_t tile = 0; tile < matrix.tiles(); ++tile) {
      const auto first = static_cast<std::size_t>(matrix.first_feature(tile));
      const auto count = static_cast<std::size_t>(matrix.end_feature(tile)) - first;
      auto block = kernel.block(static_cast<Eigen::Index>(first), slab.first,
                                static_cast<Eigen::Index>(count), slab.columns);
      without_padding(weights.span(), static_cast<Eigen::Index>(count), slab) = block;
      // A step of SGD with rate -1, no momentum and 2 lambda = scale - 1: w + (X^T A + (scale - 1) w).
      routines.update({.kernel = weights.span().first(count * slab.width),
                       .velocity = velocity.span().first(count * slab.width),
                       .width = slab.width,
                       .offsets = by_feature.offsets().subspan(first, count + 1),
                       .entries = by_feature.entries(),
                       .dz = dz.span(),
                       .learning_rate = -1.0F,
                       .momentum = 0.0F,
                       .two_l2 = scale - 1.0F});
      block = without_padding(weights.span(), static_cast<Eigen::Index>(count), slab);
    }
  });
}

double squared_norm(const Matrix& matrix, Workers& workers) {
  constexpr Eigen::Index kBlock = 1 << 16;
  constexpr Eigen::Index kFloatSum = 64;  // terms that are summed in float
  const Eigen::Index size = matrix.size();
  std::vector<double> sums(static_cast<std::size_t>((size + kBlock - 1) / kBlock), 0.0);
  workers.for_each(sums.size(), [&](std::size_t block) {
    const Eigen::Index end = std::min(size, (static_cast<Eigen::Index>(block) + 1) * kBlock);
    for (Eigen::Index i = static_cast<Eigen::Index>(block) * kBlock; i < end; i += kFloatSum) {
      const Eigen::Map<const Eigen::VectorXf> part(matrix.data() + i, std::min(kFloatSum, end - i));
      sums[block] += static_cast<double>(part.squaredNorm());
    }
  });
  double total = 0.0;
  for (const double sum : sums) total += sum;
  return total;
}

}  // namespace headstart
