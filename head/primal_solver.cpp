// head/primal_solver.cpp
#include "head/primal_solver.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace headstart {
namespace {

// 64 columns and 256 features measured best or equal best among 64, 128, 256 columns and 64 to 512 features:
// the batch's dz (8 KiB at 32 rows) stays in L1, the tile of W in L2.
constexpr Eigen::Index kSlabColumns = 64;
constexpr std::int64_t kTileFeatures = 256;

std::size_t rounded_up(Eigen::Index columns) {
  return (static_cast<std::size_t>(columns) + kColumnGroup - 1) / kColumnGroup * kColumnGroup;
}

void check_shape(const char* what, Eigen::Index rows, Eigen::Index columns, std::size_t needed_rows,
                 Eigen::Index needed_columns) {
  if (rows == static_cast<Eigen::Index>(needed_rows) && columns == needed_columns) return;
  throw std::invalid_argument(std::string(what) + ": shape is " + std::to_string(rows) + " x " +
                              std::to_string(columns) + ", needed " + std::to_string(needed_rows) + " x " +
                              std::to_string(needed_columns));
}

void check_rows(std::span<const RowIndex> rows, std::size_t count) {
  for (const RowIndex row : rows) {
    if (row < 0 || static_cast<std::size_t>(row) >= count) {
      throw std::invalid_argument("first layer: row " + std::to_string(row) + " is not one of the " +
                                  std::to_string(count) + " feature rows");
    }
  }
}

Eigen::Index columns_of(std::size_t slab, Eigen::Index hidden) {
  return std::min(kSlabColumns, hidden - static_cast<Eigen::Index>(slab) * kSlabColumns);
}

using PaddedRows = Eigen::Map<Matrix, Eigen::Unaligned, Eigen::OuterStride<>>;

// The columns of W in a slab's memory: [rows, columns] of [rows, width].
PaddedRows without_padding(std::span<float> floats, Eigen::Index rows, Eigen::Index columns,
                           std::size_t width) {
  return {floats.data(), rows, columns, Eigen::OuterStride<>(static_cast<Eigen::Index>(width))};
}

}  // namespace

PrimalSolver::PrimalSolver(const FeatureRows& features, const Matrix& kernel, int threads,
                           const PrimalKernel& routines)
    : routines_(routines), workers_(threads), rows_(features, kTileFeatures) {
  check_shape("first layer's kernel", kernel.rows(), kernel.cols(),
              static_cast<std::size_t>(features.columns), std::max<Eigen::Index>(kernel.cols(), 1));
  const Eigen::Index hidden = kernel.cols();
  slabs_.resize(static_cast<std::size_t>((hidden + kSlabColumns - 1) / kSlabColumns));
  std::size_t floats = 0;
  for (std::size_t s = 0; s < slabs_.size(); ++s) {
    Slab& slab = slabs_[s];
    slab.first_column = static_cast<Eigen::Index>(s) * kSlabColumns;
    slab.columns = columns_of(s, hidden);
    slab.width = rounded_up(slab.columns);
    slab.offset = floats;
    floats += slab.width * static_cast<std::size_t>(features.columns);
  }
  kernel_ = AlignedFloats(floats);
  velocity_ = AlignedFloats(floats);
  workers_.for_each(slabs_.size(), [&](std::size_t s) { load(kernel, slabs_[s]); });
}

std::span<float> PrimalSolver::tile_of(AlignedFloats& floats, const Slab& slab, std::size_t tile) const {
  const auto first = static_cast<std::size_t>(rows_.first_feature(tile));
  const auto end = static_cast<std::size_t>(rows_.end_feature(tile));
  return floats.span().subspan(slab.offset + first * slab.width, (end - first) * slab.width);
}

void PrimalSolver::load(const Matrix& kernel, Slab& slab) {
  for (std::size_t tile = 0; tile < rows_.tiles(); ++tile) {
    const std::span<float> weights = tile_of(kernel_, slab, tile);
    const std::span<float> velocity = tile_of(velocity_, slab, tile);
    std::fill(weights.begin(), weights.end(), 0.0F);
    std::fill(velocity.begin(), velocity.end(), 0.0F);
    const auto first = static_cast<Eigen::Index>(rows_.first_feature(tile));
    const auto features = static_cast<Eigen::Index>(rows_.end_feature(tile)) - first;
    without_padding(weights, features, slab.columns, slab.width) =
        kernel.block(first, slab.first_column, features, slab.columns);
    for (const float w : weights) slab.squared_norm += static_cast<double>(w) * static_cast<double>(w);
  }
}

void PrimalSolver::forward(std::span<const RowIndex> rows, Eigen::Ref<Matrix> z) {
  check_rows(rows, rows_.features().rows());
  check_shape("first layer's products", z.rows(), z.cols(), rows.size(),
              slabs_.back().first_column + slabs_.back().columns);
  workers_.for_each(slabs_.size(), [&](std::size_t s) {
    Slab& slab = slabs_[s];
    slab.z.assign(rows.size() * slab.width, 0.0F);
    for (std::size_t tile = 0; tile < rows_.tiles(); ++tile) {
      rows_.add_products(rows, tile, tile_of(kernel_, slab, tile), slab.width, slab.z, routines_);
    }
    z.middleCols(slab.first_column, slab.columns) =
        without_padding(slab.z, z.rows(), slab.columns, slab.width);
  });
}

void PrimalSolver::step(std::span<const RowIndex> batch, const Eigen::Ref<const Matrix>& dz,
                        const SgdStep& sgd, std::span<const RowIndex> next, Eigen::Ref<Matrix> next_z) {
  const Eigen::Index hidden = slabs_.back().first_column + slabs_.back().columns;
  check_rows(batch, rows_.features().rows());
  check_rows(next, rows_.features().rows());
  check_shape("first layer's gradient", dz.rows(), dz.cols(), batch.size(), hidden);
  check_shape("first layer's products", next_z.rows(), next_z.cols(), next.size(),
              next.empty() ? next_z.cols() : hidden);
  batch_.assign(rows_, batch, workers_);
  workers_.for_each(slabs_.size(), [&](std::size_t s) { step_slab(dz, sgd, next, next_z, slabs_[s]); });
}

void PrimalSolver::step_slab(const Eigen::Ref<const Matrix>& dz, const SgdStep& sgd,
                             std::span<const RowIndex> next, Eigen::Ref<Matrix>& next_z, Slab& slab) {
  const std::size_t dz_floats = static_cast<std::size_t>(dz.rows()) * slab.width;
  if (slab.dz.span().size() < dz_floats) {
    slab.dz = AlignedFloats(dz_floats);
  }
  const std::span<float> slab_dz = slab.dz.span().first(dz_floats);
  std::fill(slab_dz.begin(), slab_dz.end(), 0.0F);
  without_padding(slab_dz, dz.rows(), slab.columns, slab.width) =
      dz.middleCols(slab.first_column, slab.columns);
  slab.z.assign(next.size() * slab.width, 0.0F);
  slab.squared_norm = 0.0;
  for (std::size_t tile = 0; tile < rows_.tiles(); ++tile) {
    const std::span<float> weights = tile_of(kernel_, slab, tile);
    const auto first = static_cast<std::size_t>(rows_.first_feature(tile));
    const auto features = static_cast<std::size_t>(rows_.end_feature(tile)) - first;
    slab.squared_norm += routines_.update({.kernel = weights,
                                           .velocity = tile_of(velocity_, slab, tile),
                                           .width = slab.width,
                                           .offsets = batch_.offsets().subspan(first, features + 1),
                                           .entries = batch_.entries(),
                                           .dz = slab_dz,
                                           .learning_rate = static_cast<float>(sgd.learning_rate),
                                           .momentum = static_cast<float>(sgd.momentum),
                                           .two_l2 = static_cast<float>(2.0 * sgd.l2),
                                           .nesterov = sgd.nesterov});
    rows_.add_products(next, tile, weights, slab.width, slab.z, routines_);
  }
  if (next.empty()) return;
  next_z.middleCols(slab.first_column, slab.columns) =
      without_padding(slab.z, next_z.rows(), slab.columns, slab.width);
}

double PrimalSolver::squared_norm() {
  double sum = 0.0;
  for (const Slab& slab : slabs_) sum += slab.squared_norm;
  return sum;
}

Matrix PrimalSolver::kernel() {
  Matrix kernel(rows_.features().columns, slabs_.back().first_column + slabs_.back().columns);
  workers_.for_each(slabs_.size(), [&](std::size_t s) {
    const Slab& slab = slabs_[s];
    const std::span<float> weights =
        kernel_.span().subspan(slab.offset, slab.width * static_cast<std::size_t>(kernel.rows()));
    kernel.middleCols(slab.first_column, slab.columns) =
        without_padding(weights, kernel.rows(), slab.columns, slab.width);
  });
  return kernel;
}

}  // namespace headstart
