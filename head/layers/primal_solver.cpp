// head/layers/primal_solver.cpp
#include "head/layers/primal_solver.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>

#include "head/layers/dense_product.hpp"
#include "head/layers/first_layer_checks.hpp"
#include "head/layers/kernel_matrix.hpp"

namespace headstart {
namespace {

// Makes room for at least `count` floats and sets the first `count` to zero. The memory is kept for the next
// block.
void resize_zeroed(AlignedFloats& floats, std::size_t count) {
  if (floats.span().size() < count) floats = AlignedFloats(count);
  std::fill_n(floats.span().begin(), count, 0.0F);
}

// Prefetches one of `shares` shares of the floats into L2. Products use only the cache, so memory is free to
// bring the next tile meanwhile. Prefetching saves 5 to 11 % of a step.
void prefetch_share(std::span<const float> floats, std::size_t share, std::size_t shares) {
  constexpr std::size_t kLine = 16;
  const std::size_t lines = floats.size() / kLine;
  for (std::size_t line = lines * share / shares; line < lines * (share + 1) / shares; ++line)
    __builtin_prefetch(floats.data() + line * kLine, 0, 2);
}

}  // namespace

Blocks blocks_for(const Matrix& kernel) noexcept {
  constexpr Eigen::Index kCachedFloats = 2'000'000;
  return kernel.size() > kCachedFloats ? Blocks::kAlways : Blocks::kNever;
}

PrimalSolver::PrimalSolver(const SparseRowsView& features, const Matrix& kernel, int threads,
                           const PrimalKernel& routines, Blocks blocks)
    : routines_(routines), blocks_(blocks), workers_(threads), rows_(features, kTileFeatures) {
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
    for (const float w : weights) slab.norms.w_w += static_cast<double>(w) * static_cast<double>(w);
  }
}

// ---- passes over W and V

void PrimalSolver::forward(std::span<const RowIndex> rows, Eigen::Ref<Matrix> z, const Plan& plan) {
  check_rows(rows, rows_.features().rows());
  check_rows(plan.rows, rows_.features().rows());
  check_shape("first layer's products", z.rows(), z.cols(), rows.size(), hidden());
  pass(rows, z, plan);
}

void PrimalSolver::pass(std::span<const RowIndex> rows, Eigen::Ref<Matrix>& z, const Plan& plan) {
  const bool use_plan =
      blocks_ == Blocks::kAlways && plan.rows.size() > plan.batch && plan.batch > 0 &&
      plan.batch <= rows.size() &&
      std::equal(plan.rows.begin(), plan.rows.begin() + static_cast<std::ptrdiff_t>(plan.batch),
                 rows.end() - static_cast<std::ptrdiff_t>(plan.batch));
  const std::size_t batch = use_plan ? plan.batch : 0;
  const std::span<const RowIndex> planned =
      use_plan ? plan.rows.first(std::max(plan.batch, std::min(plan.rows.size(), kMostPlannedRows)))
               : std::span<const RowIndex>{};
  const std::span<const RowIndex> others = rows.first(rows.size() - batch);
  const StepBlock ended = std::exchange(block_, {});
  if (ended.done() > 0) {
    by_feature_.assign(rows_, ended.rows_done(), workers_);
    weigh_entries(ended);
  }
  if (use_plan) block_ = StepBlock(planned, kernel_matrix(rows_, planned, workers_));
  norms_carried_ = true;
  workers_.for_each(slabs_.size(), [&](std::size_t s) {
    Slab& slab = slabs_[s];
    const ColumnSlab& columns = slab.columns;
    pass_slab(ended, others, planned, slab);
    if (rows.empty()) return;
    const auto count = static_cast<Eigen::Index>(others.size());
    z.block(0, columns.first, count, columns.columns) = without_padding(slab.z, count, columns);
    if (!use_plan) return;
    const auto next = static_cast<Eigen::Index>(batch);
    z.block(count, columns.first, next, columns.columns) = without_padding(slab.p.span(), next, columns);
    const auto floats = static_cast<std::ptrdiff_t>(batch * columns.width);
    slab.z.assign(slab.p.span().begin(), slab.p.span().begin() + floats);
    slab.y.assign(slab.q.span().begin(), slab.q.span().begin() + floats);
  });
}

void PrimalSolver::weigh_entries(const StepBlock& ended) {
  const std::span<const BatchEntry> entries = by_feature_.entries();
  weighted_.resize(entries.size());
  workers_.for_each(rows_.tiles(), [&](std::size_t tile) {
    const auto first =
        static_cast<std::size_t>(by_feature_.offsets()[static_cast<std::size_t>(rows_.first_feature(tile))]);
    const auto end =
        static_cast<std::size_t>(by_feature_.offsets()[static_cast<std::size_t>(rows_.end_feature(tile))]);
    for (std::size_t k = first; k < end; ++k) {
      const BatchEntry& entry = entries[k];
      const Coordinates& row = ended.of_rows()[static_cast<std::size_t>(entry.row)];
      weighted_[k] = {entry.row, static_cast<float>(row.w) * entry.value,
                      static_cast<float>(row.v) * entry.value};
    }
  });
}

void PrimalSolver::pass_slab(const StepBlock& ended, std::span<const RowIndex> others,
                             std::span<const RowIndex> planned, Slab& slab) {
  const std::size_t width = slab.columns.width;
  slab.z.assign(others.size() * width, 0.0F);
  for (AlignedFloats* const products : {&slab.p, &slab.q}) resize_zeroed(*products, planned.size() * width);
  if (ended.done() > 0) slab.norms = {};
  for (std::size_t tile = 0; tile < rows_.tiles(); ++tile) {
    if (ended.done() > 0) combine_tile(ended, tile, slab);
    const std::span<const float> weights = tile_of(kernel_, slab, tile);
    rows_.add_products(others, tile, weights, width, slab.z, routines_);
    const std::span<const float> velocity = tile_of(velocity_, slab, tile);
    const std::size_t next_tile = std::min(tile + 1, rows_.tiles() - 1);
    const std::span<const float> next_weights = tile_of(kernel_, slab, next_tile);
    const std::span<const float> next_velocity = tile_of(velocity_, slab, next_tile);
    for (std::size_t i = 0; i < planned.size(); ++i) {
      prefetch_share(next_weights, i, planned.size());
      prefetch_share(next_velocity, i, planned.size());
      const std::span<const std::int32_t> indices = rows_.indices(planned[i], tile);
      if (indices.empty()) continue;
      routines_.add_products({.kernel = weights,
                              .velocity = velocity,
                              .width = width,
                              .first_feature = static_cast<std::int32_t>(rows_.first_feature(tile)),
                              .indices = indices,
                              .values = rows_.values(planned[i], tile),
                              .z = slab.p.span().subspan(i * width, width),
                              .y = slab.q.span().subspan(i * width, width)});
    }
  }
}

void PrimalSolver::combine_tile(const StepBlock& ended, std::size_t tile, Slab& slab) {
  const auto first = static_cast<std::size_t>(rows_.first_feature(tile));
  const auto features = static_cast<std::size_t>(rows_.end_feature(tile)) - first;
  const Coordinates of_kernel = ended.of_kernel();
  const Coordinates of_velocity = ended.of_velocity();
  const KernelNorms norms = routines_.combine({.kernel = tile_of(kernel_, slab, tile),
                                               .velocity = tile_of(velocity_, slab, tile),
                                               .width = slab.columns.width,
                                               .offsets = by_feature_.offsets().subspan(first, features + 1),
                                               .entries = weighted_,
                                               .dz = slab.dz.span(),
                                               .kernel_from_kernel = static_cast<float>(of_kernel.w - 1.0),
                                               .kernel_from_velocity = static_cast<float>(of_velocity.w),
                                               .velocity_from_kernel = static_cast<float>(of_kernel.v),
                                               .velocity_from_velocity = static_cast<float>(of_velocity.v)});
  slab.norms.w_w += norms.w_w;
  slab.norms.w_v += norms.w_v;
  slab.norms.v_v += norms.v_v;
}

void PrimalSolver::finish_block() {
  if (block_.done() == 0) return;
  Matrix none(0, hidden());
  Eigen::Ref<Matrix> z = none;
  pass({}, z, {});
}

// ---- steps

void PrimalSolver::step(std::span<const RowIndex> batch, const Eigen::Ref<const Matrix>& dz,
                        const SgdStep& sgd, std::span<const RowIndex> next, Eigen::Ref<Matrix> next_z,
                        const Plan& plan) {
  for (const std::span<const RowIndex> rows : {batch, next, plan.rows})
    check_rows(rows, rows_.features().rows());
  check_shape("first layer's gradient", dz.rows(), dz.cols(), batch.size(), hidden());
  check_shape("first layer's products", next_z.rows(), next_z.cols(), next.size(),
              next.empty() ? next_z.cols() : hidden());
  if (!block_.continues(batch)) {
    finish_block();
    block_ = {};
  }
  block_.add(batch, sgd);
  if (!block_.continues(next)) {
    workers_.for_each(slabs_.size(), [&](std::size_t s) { load_gradient(dz, slabs_[s]); });
    return pass(next, next_z, plan);
  }
  norms_carried_ = norms_carried_ && sgd.l2 > 0.0;
  const Matrix batch_kernel = block_.kernel_of_last(batch.size());
  const Matrix in_kernel = block_.weights_in_kernel(next.size());
  const Matrix in_velocity = norms_carried_ ? block_.weights_in_velocity(next.size()) : Matrix();
  workers_.for_each(slabs_.size(), [&](std::size_t s) {
    Slab& slab = slabs_[s];
    load_gradient(dz, slab);
    if (norms_carried_) carry_norms(batch_kernel, sgd, slab);
    multiply_in_block(in_kernel, in_velocity, slab);
    next_z.middleCols(slab.columns.first, slab.columns.columns) =
        without_padding(slab.z, next_z.rows(), slab.columns);
  });
}

void PrimalSolver::load_gradient(const Eigen::Ref<const Matrix>& dz, Slab& slab) const {
  const std::size_t floats = block_.rows() * slab.columns.width;
  if (slab.dz.span().size() < floats) resize_zeroed(slab.dz, floats);  // no row is done yet
  const std::size_t first = (block_.done() - static_cast<std::size_t>(dz.rows())) * slab.columns.width;
  const std::span<float> own = slab.dz.span().subspan(first);
  without_padding(own, dz.rows(), slab.columns) = dz.middleCols(slab.columns.first, slab.columns.columns);
}

// The slab's norms after the step on the block's last rows. z and y hold the products of these rows with the
// old W and V.
void PrimalSolver::carry_norms(const Matrix& batch_kernel, const SgdStep& sgd, Slab& slab) const {
  const Eigen::Index batch = batch_kernel.rows();
  const std::size_t width = slab.columns.width;
  const std::size_t first = (block_.done() - static_cast<std::size_t>(batch)) * width;
  const auto dz = without_padding(slab.dz.span().subspan(first), batch, slab.columns);
  std::vector<float> products(static_cast<std::size_t>(batch) * width, 0.0F);
  add_product({.a = batch_kernel.data(),
               .a_row = static_cast<std::size_t>(batch),
               .b = slab.dz.span().data() + first,
               .b_row = width,
               .c = products.data(),
               .c_row = width,
               .rows = static_cast<std::size_t>(batch),
               .inner = static_cast<std::size_t>(batch),
               .columns = width});
  const GradientProducts gradient{inner_product(without_padding(slab.z, batch, slab.columns), dz),
                                  inner_product(without_padding(slab.y, batch, slab.columns), dz),
                                  inner_product(without_padding(products, batch, slab.columns), dz)};
  slab.norms = after_step(slab.norms, gradient, sgd);
}

void PrimalSolver::multiply_in_block(const Matrix& in_kernel, const Matrix& in_velocity, Slab& slab) const {
  const auto multiply = [&](const Matrix& weights, double Coordinates::*which, std::vector<float>& products) {
    const std::size_t width = slab.columns.width;
    const std::size_t first = block_.done() * width;
    const std::size_t floats = static_cast<std::size_t>(weights.rows()) * width;
    const auto from_kernel = static_cast<float>(block_.of_kernel().*which);
    const auto from_velocity = static_cast<float>(block_.of_velocity().*which);
    const std::span<const float> p = slab.p.span().subspan(first, floats);
    const std::span<const float> q = slab.q.span().subspan(first, floats);
    products.resize(floats);
    for (std::size_t i = 0; i < floats; ++i) products[i] = from_kernel * p[i] + from_velocity * q[i];
    add_product({.a = weights.data(),
                 .a_row = static_cast<std::size_t>(weights.cols()),
                 .b = slab.dz.span().data(),
                 .b_row = width,
                 .c = products.data(),
                 .c_row = width,
                 .rows = static_cast<std::size_t>(weights.rows()),
                 .inner = static_cast<std::size_t>(weights.cols()),
                 .columns = width});
  };
  multiply(in_kernel, &Coordinates::w, slab.z);
  if (norms_carried_) multiply(in_velocity, &Coordinates::v, slab.y);
}

Eigen::Index PrimalSolver::hidden() const noexcept {
  return slabs_.back().columns.first + slabs_.back().columns.columns;
}

// A tile of W is read once for all rows. The sum of an entry runs over the slabs in order.
std::vector<float> PrimalSolver::input_gradient(std::span<const RowIndex> rows,
                                                const Eigen::Ref<const Matrix>& dz) {
  check_rows(rows, rows_.features().rows());
  check_shape("first layer's gradient", dz.rows(), dz.cols(), rows.size(), hidden());
  finish_block();
  std::vector<std::size_t> starts{0};
  for (const RowIndex row : rows) starts.push_back(starts.back() + rows_.features().row_indices(row).size());
  std::vector<float> gradient(starts.back(), 0.0F);
  workers_.for_each(rows_.tiles(), [&](std::size_t tile) {
    for (const Slab& slab : slabs_) {
      const std::span<float> floats = tile_of(kernel_, slab, tile);
      const auto first = static_cast<Eigen::Index>(rows_.first_feature(tile));
      const auto features = static_cast<Eigen::Index>(rows_.end_feature(tile)) - first;
      const SlabRows weights = without_padding(floats, features, slab.columns);
      for (std::size_t r = 0; r < rows.size(); ++r) {
        const std::span<const std::int32_t> indices = rows_.indices(rows[r], tile);
        if (indices.empty()) continue;
        const std::size_t offset =
            starts[r] +
            static_cast<std::size_t>(indices.data() - rows_.features().row_indices(rows[r]).data());
        const auto of_row =
            dz.row(static_cast<Eigen::Index>(r)).segment(slab.columns.first, slab.columns.columns);
        for (std::size_t i = 0; i < indices.size(); ++i)
          gradient[offset + i] += weights.row(indices[i] - first).dot(of_row);
      }
    }
  });
  return gradient;
}

double PrimalSolver::squared_norm() {
  double sum = 0.0;
  for (const double norm : squared_norms()) sum += norm;
  return sum;
}

std::vector<double> PrimalSolver::squared_norms() {
  if (!norms_carried_) finish_block();
  std::vector<double> norms(slabs_.size());
  std::transform(slabs_.begin(), slabs_.end(), norms.begin(),
                 [](const Slab& slab) { return slab.norms.w_w; });
  return norms;
}

void PrimalSolver::use_rows(const SparseRowsView& rows) {
  if (rows.columns != rows_.features().columns) {
    throw std::invalid_argument("first layer: rows of " + std::to_string(rows.columns) +
                                " features, needed " + std::to_string(rows_.features().columns));
  }
  finish_block();
  block_ = {};
  rows_ = TiledRows(rows, kTileFeatures);
}

Matrix PrimalSolver::kernel() {
  finish_block();
  Matrix kernel(rows_.features().columns, hidden());
  workers_.for_each(slabs_.size(), [&](std::size_t s) {
    const Slab& slab = slabs_[s];
    kernel.middleCols(slab.columns.first, slab.columns.columns) =
        without_padding(slab_of(kernel_, slab), kernel.rows(), slab.columns);
  });
  return kernel;
}

void PrimalSolver::remember() {
  finish_block();
  if (remembered_.span().empty()) remembered_ = AlignedFloats(kernel_.span().size());
  workers_.for_each(slabs_.size(), [&](std::size_t s) {
    const std::span<float> weights = slab_of(kernel_, slabs_[s]);
    std::copy(weights.begin(), weights.end(), slab_of(remembered_, slabs_[s]).begin());
    slabs_[s].remembered_squared_norm = slabs_[s].norms.w_w;
  });
}

void PrimalSolver::recall() {
  if (remembered_.span().empty()) throw std::logic_error("recall() without remember()");
  block_ = {};
  norms_carried_ = true;
  std::swap(kernel_, remembered_);
  for (Slab& slab : slabs_) slab.norms.w_w = slab.remembered_squared_norm;
}

// The norms are part of the state. The norms are summed in the order of the steps, so a new sum over W would
// differ in the last digits.
FirstLayerState PrimalSolver::state() {
  finish_block();
  FirstLayerState state;
  state.arrays = {kernel_.span(), velocity_.span()};
  for (const Slab& slab : slabs_) {
    for (const double norm : {slab.norms.w_w, slab.norms.w_v, slab.norms.v_v}) state.numbers.push_back(norm);
  }
  if (remembered_.span().empty()) return state;
  state.arrays.emplace_back(remembered_.span());
  for (const Slab& slab : slabs_) state.numbers.push_back(slab.remembered_squared_norm);
  return state;
}

void PrimalSolver::set_state(const FirstLayerState& state) {
  const bool remembers = state.arrays.size() == 3;
  const std::vector<std::size_t> floats(remembers ? 3 : 2, kernel_.span().size());
  check_state(state, slabs_.size() * (remembers ? 4 : 3), floats);
  block_ = {};
  norms_carried_ = true;
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
    slab.norms = {state.numbers[3 * s], state.numbers[3 * s + 1], state.numbers[3 * s + 2]};
    if (!remembers) return;
    copy(state.arrays[2], remembered_);
    slab.remembered_squared_norm = state.numbers[3 * slabs_.size() + s];
  });
}

}  // namespace headstart
