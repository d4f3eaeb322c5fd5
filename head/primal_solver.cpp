// head/primal_solver.cpp
#include "head/primal_solver.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>

#include "head/first_layer_checks.hpp"

namespace headstart {

PrimalSolver::PrimalSolver(const FeatureRows& features, const Matrix& kernel, int threads,
                           const PrimalKernel& routines)
    : routines_(routines), workers_(threads), rows_(features, kTileFeatures) {
  check_shape("first layer's kernel", kernel.rows(), kernel.cols(),
              static_cast<std::size_t>(features.columns), std::max<Eigen::Index>(kernel.cols(), 1));
  const Eigen::Index hidden = kernel.cols();
  std::size_t floats = 0;
  for (const ColumnSlab& columns : column_slabs(hidden)) {
    Slab& slab = slabs_.emplace_back();
    slab.columns = columns;
    slab.offset = floats;
    floats += columns.width * static_cast<std::size_t>(features.columns);
  }
  kernel_ = AlignedFloats(floats);
  velocity_ = AlignedFloats(floats);
  workers_.for_each(slabs_.size(), [&](std::size_t s) { load(kernel, slabs_[s]); });
}

std::span<float> PrimalSolver::tile_of(AlignedFloats& floats, const Slab& slab, std::size_t tile) const {
  const auto first = static_cast<std::size_t>(rows_.first_feature(tile));
  const auto end = static_cast<std::size_t>(rows_.end_feature(tile));
  return floats.span().subspan(slab.offset + first * slab.columns.width, (end - first) * slab.columns.width);
}

std::span<float> PrimalSolver::slab_of(AlignedFloats& floats, const Slab& slab) const {
  return floats.span().subspan(slab.offset,
                               slab.columns.width * static_cast<std::size_t>(rows_.features().columns));
}

void PrimalSolver::load(const Matrix& kernel, Slab& slab) {
  for (std::size_t tile = 0; tile < rows_.tiles(); ++tile) {
    const std::span<float> weights = tile_of(kernel_, slab, tile);
    const std::span<float> velocity = tile_of(velocity_, slab, tile);
    std::fill(weights.begin(), weights.end(), 0.0F);
    std::fill(velocity.begin(), velocity.end(), 0.0F);
    const auto first = static_cast<Eigen::Index>(rows_.first_feature(tile));
    const auto features = static_cast<Eigen::Index>(rows_.end_feature(tile)) - first;
    without_padding(weights, features, slab.columns) =
        kernel.block(first, slab.columns.first, features, slab.columns.columns);
    for (const float w : weights) slab.squared_norm += static_cast<double>(w) * static_cast<double>(w);
  }
}

void PrimalSolver::forward(std::span<const RowIndex> rows, Eigen::Ref<Matrix> z) {
  check_rows(rows, rows_.features().rows());
  check_shape("first layer's products", z.rows(), z.cols(), rows.size(), hidden());
  workers_.for_each(slabs_.size(), [&](std::size_t s) {
    Slab& slab = slabs_[s];
    slab.z.assign(rows.size() * slab.columns.width, 0.0F);
    for (std::size_t tile = 0; tile < rows_.tiles(); ++tile) {
      rows_.add_products(rows, tile, tile_of(kernel_, slab, tile), slab.columns.width, slab.z, routines_);
    }
    z.middleCols(slab.columns.first, slab.columns.columns) = without_padding(slab.z, z.rows(), slab.columns);
  });
}

void PrimalSolver::step(std::span<const RowIndex> batch, const Eigen::Ref<const Matrix>& dz,
                        const SgdStep& sgd, std::span<const RowIndex> next, Eigen::Ref<Matrix> next_z) {
  check_rows(batch, rows_.features().rows());
  check_rows(next, rows_.features().rows());
  check_shape("first layer's gradient", dz.rows(), dz.cols(), batch.size(), hidden());
  check_shape("first layer's products", next_z.rows(), next_z.cols(), next.size(),
              next.empty() ? next_z.cols() : hidden());
  batch_.assign(rows_, batch, workers_);
  workers_.for_each(slabs_.size(), [&](std::size_t s) { step_slab(dz, sgd, next, next_z, slabs_[s]); });
}

void PrimalSolver::step_slab(const Eigen::Ref<const Matrix>& dz, const SgdStep& sgd,
                             std::span<const RowIndex> next, Eigen::Ref<Matrix>& next_z, Slab& slab) {
  const std::size_t dz_floats = static_cast<std::size_t>(dz.rows()) * slab.columns.width;
  if (slab.dz.span().size() < dz_floats) {
    slab.dz = AlignedFloats(dz_floats);
  }
  const std::span<float> slab_dz = slab.dz.span().first(dz_floats);
  std::fill(slab_dz.begin(), slab_dz.end(), 0.0F);
  without_padding(slab_dz, dz.rows(), slab.columns) = dz.middleCols(slab.columns.first, slab.columns.columns);
  slab.z.assign(next.size() * slab.columns.width, 0.0F);
  slab.squared_norm = 0.0;
  for (std::size_t tile = 0; tile < rows_.tiles(); ++tile) {
    const std::span<float> weights = tile_of(kernel_, slab, tile);
    const auto first = static_cast<std::size_t>(rows_.first_feature(tile));
    const auto features = static_cast<std::size_t>(rows_.end_feature(tile)) - first;
    slab.squared_norm += routines_.update({.kernel = weights,
                                           .velocity = tile_of(velocity_, slab, tile),
                                           .width = slab.columns.width,
                                           .offsets = batch_.offsets().subspan(first, features + 1),
                                           .entries = batch_.entries(),
                                           .dz = slab_dz,
                                           .learning_rate = static_cast<float>(sgd.learning_rate),
                                           .momentum = static_cast<float>(sgd.momentum),
                                           .two_l2 = static_cast<float>(2.0 * sgd.l2),
                                           .nesterov = sgd.nesterov});
    rows_.add_products(next, tile, weights, slab.columns.width, slab.z, routines_);
  }
  if (next.empty()) return;
  next_z.middleCols(slab.columns.first, slab.columns.columns) =
      without_padding(slab.z, next_z.rows(), slab.columns);
}

Eigen::Index PrimalSolver::hidden() const noexcept {
  return slabs_.back().columns.first + slabs_.back().columns.columns;
}

double PrimalSolver::squared_norm() {
  double sum = 0.0;
  for (const Slab& slab : slabs_) sum += slab.squared_norm;
  return sum;
}

void PrimalSolver::use_rows(const FeatureRows& rows) {
  if (rows.columns != rows_.features().columns) {
    throw std::invalid_argument("first layer: rows of " + std::to_string(rows.columns) +
                                " features, needed " + std::to_string(rows_.features().columns));
  }
  rows_ = TiledRows(rows, kTileFeatures);
}

Matrix PrimalSolver::kernel() {
  Matrix kernel(rows_.features().columns, hidden());
  workers_.for_each(slabs_.size(), [&](std::size_t s) {
    const Slab& slab = slabs_[s];
    kernel.middleCols(slab.columns.first, slab.columns.columns) =
        without_padding(slab_of(kernel_, slab), kernel.rows(), slab.columns);
  });
  return kernel;
}

void PrimalSolver::remember() {
  if (remembered_.span().empty()) remembered_ = AlignedFloats(kernel_.span().size());
  workers_.for_each(slabs_.size(), [&](std::size_t s) {
    const std::span<float> weights = slab_of(kernel_, slabs_[s]);
    std::copy(weights.begin(), weights.end(), slab_of(remembered_, slabs_[s]).begin());
    slabs_[s].remembered_squared_norm = slabs_[s].squared_norm;
  });
}

void PrimalSolver::recall() {
  if (remembered_.span().empty()) throw std::logic_error("recall() without remember()");
  std::swap(kernel_, remembered_);
  for (Slab& slab : slabs_) slab.squared_norm = slab.remembered_squared_norm;
}

// The norms are part of it: summed in the order of a step, their last bits are not those of a sum over W.
FirstLayerState PrimalSolver::state() {
  FirstLayerState state;
  state.arrays = {kernel_.span(), velocity_.span()};
  for (const Slab& slab : slabs_) state.numbers.push_back(slab.squared_norm);
  if (remembered_.span().empty()) return state;
  state.arrays.emplace_back(remembered_.span());
  for (const Slab& slab : slabs_) state.numbers.push_back(slab.remembered_squared_norm);
  return state;
}

void PrimalSolver::set_state(const FirstLayerState& state) {
  const bool remembers = state.arrays.size() == 3;
  const std::vector<std::size_t> floats(remembers ? 3 : 2, kernel_.span().size());
  check_state(state, slabs_.size() * (remembers ? 2 : 1), floats);
  remembered_ = AlignedFloats(remembers ? kernel_.span().size() : 0);
  workers_.for_each(slabs_.size(), [&](std::size_t s) {
    Slab& slab = slabs_[s];
    const auto copy = [&](std::span<const float> from, AlignedFloats& to) {
      const std::span<float> floats_of_slab = slab_of(to, slab);
      const std::span<const float> source = from.subspan(slab.offset, floats_of_slab.size());
      std::copy(source.begin(), source.end(), floats_of_slab.begin());
    };
    copy(state.arrays[0], kernel_);
    copy(state.arrays[1], velocity_);
    slab.squared_norm = state.numbers[s];
    if (!remembers) return;
    copy(state.arrays[2], remembered_);
    slab.remembered_squared_norm = state.numbers[slabs_.size() + s];
  });
}

}  // namespace headstart
