// head/layers/kernel_matrix.cpp: the Gram matrix. 64 rows at a time are stored as dense columns, a tile of
// features at a time. The columns are multiplied with every sparse row from the first of them on; the other
// half of K is mirrored.
#include "head/layers/kernel_matrix.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <vector>

#include "head/layers/primal_kernel.hpp"
#include "memory/aligned_floats.hpp"

namespace headstart {
namespace {

constexpr std::size_t kBlockRows = 64;
constexpr std::size_t kFewRows = 128;  // up to this number blocks are smaller, so that every thread has one

// X[block, tile]^T, [features of the tile, width], in `columns`; zero where X has no entry.
void scatter(const TiledRows& matrix, std::span<const RowIndex> block, std::size_t tile, std::size_t width,
             std::span<float> columns) {
  std::fill(columns.begin(), columns.end(), 0.0F);
  const auto first = static_cast<std::int32_t>(matrix.first_feature(tile));
  for (std::size_t i = 0; i < block.size(); ++i) {
    const std::span<const std::int32_t> indices = matrix.indices(block[i], tile);
    const std::span<const float> values = matrix.values(block[i], tile);
    for (std::size_t k = 0; k < indices.size(); ++k) {
      columns[static_cast<std::size_t>(indices[k] - first) * width + i] = values[k];
    }
  }
}

}  // namespace

Matrix kernel_matrix(const SparseRowsView& features, int threads) {
  Workers workers(threads);
  return kernel_matrix(TiledRows(features, kTileFeatures), workers);
}

Matrix kernel_matrix(const TiledRows& matrix, Workers& workers) {
  std::vector<RowIndex> rows(matrix.features().rows());
  std::iota(rows.begin(), rows.end(), 0);
  return kernel_matrix(matrix, rows, workers);
}

Matrix kernel_matrix(const TiledRows& matrix, std::span<const RowIndex> rows, Workers& workers) {
  const PrimalKernel routines = best_primal_kernel();
  const auto count = static_cast<Eigen::Index>(rows.size());
  Matrix result(count, count);
  const std::size_t block_rows = rows.size() > kFewRows ? kBlockRows : kFewRows / 4;
  const std::size_t blocks = (rows.size() + block_rows - 1) / block_rows;
  workers.for_each(blocks, [&](std::size_t task) {
    // Early blocks have more rows to multiply. So tasks take blocks from both ends in turn, which gives the
    // threads equal work.
    const std::size_t block = task % 2 == 0 ? task / 2 : blocks - 1 - task / 2;
    const std::size_t first = block * block_rows;
    const std::span<const RowIndex> columns = rows.subspan(first, std::min(block_rows, rows.size() - first));
    const std::span<const RowIndex> others = rows.subspan(first);
    const std::size_t width = (columns.size() + kColumnGroup - 1) / kColumnGroup * kColumnGroup;
    AlignedFloats tile_columns(static_cast<std::size_t>(matrix.tile_features()) * width);
    std::vector<float> products(others.size() * width, 0.0F);
    for (std::size_t tile = 0; tile < matrix.tiles(); ++tile) {
      scatter(matrix, columns, tile, width, tile_columns.span());
      matrix.add_products(others, tile, tile_columns.span(), width, products, routines);
    }
    for (std::size_t i = 0; i < others.size(); ++i) {
      for (std::size_t j = 0; j < columns.size(); ++j) {
        if (i < j) continue;  // inside the block only the lower half is computed
        const auto row = static_cast<Eigen::Index>(first + i);
        const auto column = static_cast<Eigen::Index>(first + j);
        result(row, column) = result(column, row) = products[i * width + j];
      }
    }
  });
  return result;
}

Matrix unit_kernel_matrix(const Matrix& kernel_matrix) {
  Eigen::VectorXd inverse_norms(kernel_matrix.rows());
  for (Eigen::Index i = 0; i < kernel_matrix.rows(); ++i) {
    const double square = static_cast<double>(kernel_matrix(i, i));
    inverse_norms(i) = square > 0.0 ? 1.0 / std::sqrt(square) : 0.0;
  }
  Matrix result(kernel_matrix.rows(), kernel_matrix.cols());
  for (Eigen::Index i = 0; i < result.rows(); ++i) {
    for (Eigen::Index j = 0; j < result.cols(); ++j) {
      result(i, j) =
          static_cast<float>(static_cast<double>(kernel_matrix(i, j)) * inverse_norms(i) * inverse_norms(j));
    }
  }
  return result;
}

}  // namespace headstart
