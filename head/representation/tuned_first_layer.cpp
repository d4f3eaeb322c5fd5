// head/representation/tuned_first_layer.cpp
#include "head/representation/tuned_first_layer.hpp"

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <utility>

#include "head/layers/kernel_matrix.hpp"
#include "head/layers/primal_kernel.hpp"
#include "head/representation/representation_gradient.hpp"
#include "memory/sparse_rows.hpp"

namespace headstart {
namespace {

std::vector<RowIndex> first_rows(std::size_t count, std::size_t from = 0) {
  std::vector<RowIndex> rows(count);
  std::iota(rows.begin(), rows.end(), static_cast<RowIndex>(from));
  return rows;
}

/// The first `count` rows of dense activations, in sparse form.
SparseRows first_dense_rows(std::span<const float> dense, std::size_t count, std::size_t columns) {
  SparseRows rows;
  rows.columns = static_cast<std::int64_t>(columns);
  for (std::size_t r = 0; r < count; ++r) rows.append_dense(dense.subspan(r * columns, columns));
  return rows;
}

LayerArrays copies_of(std::span<const std::span<const float>> arrays) {
  LayerArrays copies;
  for (const std::span<const float> array : arrays) copies.emplace_back(array.begin(), array.end());
  return copies;
}

}  // namespace

TunedFirstLayer::TunedFirstLayer(std::unique_ptr<LowerLayers> lower, const SparseRowsView& rows,
                                 const Matrix& kernel, TunedLayerOptions options)
    : lower_(std::move(lower)),
      rows_(rows),
      options_(std::move(options)),
      dense_({.columns = kernel.rows(), .indptr = {}, .indices = {}, .values = {}}, kernel, options_.threads,
             best_primal_kernel(), Blocks::kNever),
      input_(static_cast<std::size_t>(options_.batch) * static_cast<std::size_t>(rows.columns)) {}

SparseRowsView TunedFirstLayer::pooled_of(const Represented& represented) const {
  return (pools() ? represented.pooled : represented.maps).view();
}

SparseRowsView TunedFirstLayer::rows_of(const Represented& represented) const {
  return transforms() ? represented.rows.view() : pooled_of(represented);
}

TunedFirstLayer::Represented TunedFirstLayer::run_lower(std::span<const RowIndex> rows) {
  const auto columns = static_cast<std::size_t>(rows_.columns);
  for (std::size_t r = 0; r < rows.size(); ++r) {
    expand(rows_.row_indices(rows[r]), rows_.row_values(rows[r]),
           std::span(input_).subspan(r * columns, columns));
  }
  const std::span<const float> output = lower_->forward(input_);
  gradients_ready_ = false;
  Represented result;
  const std::size_t width = output.size() / static_cast<std::size_t>(options_.batch);
  gradient_.resize(output.size());
  result.maps = first_dense_rows(output, rows.size(), width);
  if (pools()) result.pooled = pool(result.maps.view(), options_.channels, options_.pooling, 1);
  if (transforms()) result.rows = apply(options_.fitted, pooled_of(result));
  return result;
}

void TunedFirstLayer::enter(std::span<const RowIndex> rows) {
  if (!std::equal(rows.begin(), rows.end(), resident_.begin(), resident_.end())) {
    resident_.clear();
    current_ = run_lower(rows);
    resident_.assign(rows.begin(), rows.end());
  }
  dense_.use_rows(rows_of(current_));
}

void TunedFirstLayer::forward(std::span<const RowIndex> rows, Eigen::Ref<Matrix> z, const Plan& /*plan*/) {
  // The last rows come last and together: they are the next batch, and step() needs their activations.
  const auto batch = static_cast<std::size_t>(options_.batch);
  for (std::size_t first = 0; first < rows.size();) {
    const std::size_t left = rows.size() - first;
    const std::size_t count = left <= batch ? left : std::min(batch, left - batch);
    enter(rows.subspan(first, count));
    dense_.forward(first_rows(count),
                   z.middleRows(static_cast<Eigen::Index>(first), static_cast<Eigen::Index>(count)));
    first += count;
  }
}

void TunedFirstLayer::backward(const Eigen::Ref<const Matrix>& dz) {
  if (gradients_ready_) return;
  const std::size_t rows = resident_.size();
  std::vector<float> of_maps = dense_.input_gradient(first_rows(rows), dz);
  if (pools() || transforms()) {
    of_maps = representation_gradient(current_.maps.view(), pooled_of(current_), options_.fitted,
                                      options_.pooling, rows_of(current_), of_maps);
  }
  const SparseRowsView maps = current_.maps.view();
  const auto width = static_cast<std::size_t>(maps.columns);
  for (std::size_t r = 0; r < rows; ++r) {
    const auto first = static_cast<std::size_t>(maps.indptr[r]);
    expand(maps.row_indices(r), std::span(of_maps).subspan(first),
           std::span(gradient_).subspan(r * width, width));
  }
  std::fill(gradient_.begin() + static_cast<std::ptrdiff_t>(rows * width), gradient_.end(), 0.0F);
  lower_->backward(gradient_);
  gradients_ready_ = true;
}

void TunedFirstLayer::step(std::span<const RowIndex> batch, const Eigen::Ref<const Matrix>& dz,
                           const SgdStep& sgd, std::span<const RowIndex> next, Eigen::Ref<Matrix> next_z,
                           const Plan& /*plan*/) {
  enter(batch);
  if (sgd.gradient_scale != 1.0 && !gradients_ready_)
    throw std::logic_error("first layer: a gradient to clip that was not measured");
  backward(dz);
  lower_->step(sgd);
  // One pass over W makes the step and the next batch's products. Before it, the next batch's rows go through
  // the moved lower layers.
  const std::size_t ahead = std::min(next.size(), static_cast<std::size_t>(options_.batch));
  const std::span<const RowIndex> last = next.last(ahead);
  resident_.clear();
  stacked_ = {};
  stacked_.append(std::move(transforms() ? current_.rows : pools() ? current_.pooled : current_.maps));
  if (ahead > 0) {
    current_ = run_lower(last);
    stacked_.append(rows_of(current_));
    resident_.assign(last.begin(), last.end());
  }
  dense_.use_rows(stacked_.view());
  dense_.step(first_rows(batch.size()), dz, sgd, first_rows(ahead, batch.size()),
              next_z.bottomRows(static_cast<Eigen::Index>(ahead)));
  const std::size_t others = next.size() - ahead;
  if (others > 0) forward(next.first(others), next_z.topRows(static_cast<Eigen::Index>(others)));
}

double TunedFirstLayer::penalty(double l2) { return FirstLayer::penalty(l2) + lower_->penalty(l2); }

// With K = X X^T and G = X^T dz: |G + 2 l2 W|^2 = <K, dz dz^T> + 4 l2 <X W, dz> + 4 l2^2 |W|^2.
double TunedFirstLayer::gradient_squared_norm(std::span<const RowIndex> batch,
                                              const Eigen::Ref<const Matrix>& dz, double l2) {
  enter(batch);
  backward(dz);
  const Matrix kernel = kernel_matrix(rows_of(current_), options_.threads);
  const Eigen::MatrixXd products = (dz * dz.transpose()).cast<double>();
  double sum = kernel.cast<double>().cwiseProduct(products).sum();
  if (l2 > 0.0) {
    Matrix z(dz.rows(), dz.cols());
    dense_.forward(first_rows(batch.size()), z);
    sum += 4.0 * l2 * z.cast<double>().cwiseProduct(dz.cast<double>()).sum() +
           4.0 * l2 * l2 * dense_.squared_norm();
  }
  return sum + lower_->gradient_squared_norm(l2);
}

void TunedFirstLayer::use_rows(const SparseRowsView& rows) {
  if (rows.columns != rows_.columns) throw std::invalid_argument("tuned layer: rows of another width");
  rows_ = rows;
  resident_.clear();
}

void TunedFirstLayer::remember() {
  dense_.remember();
  remembered_ = lower_->weights();
}

void TunedFirstLayer::recall() {
  dense_.recall();
  lower_->restore(remembered_, lower_->velocities());
  resident_.clear();
}

FirstLayerState TunedFirstLayer::state() {
  FirstLayerState state = dense_.state();
  shown_weights_ = lower_->weights();
  shown_velocities_ = lower_->velocities();
  for (const LayerArrays* const arrays : {&shown_weights_, &shown_velocities_, &remembered_})
    state.arrays.insert(state.arrays.end(), arrays->begin(), arrays->end());
  return state;
}

void TunedFirstLayer::set_state(const FirstLayerState& state) {
  const std::size_t arrays = lower_->weights().size();
  const bool remembers = state.arrays.size() == 3 + 3 * arrays;
  const std::size_t dense = remembers ? 3 : 2;
  if (!remembers && state.arrays.size() != dense + 2 * arrays)
    throw std::invalid_argument("tuned layer: the state is one of other layers");
  const std::span<const std::span<const float>> all(state.arrays);
  dense_.set_state({state.numbers, {all.begin(), all.begin() + static_cast<std::ptrdiff_t>(dense)}});
  lower_->restore(copies_of(all.subspan(dense, arrays)), copies_of(all.subspan(dense + arrays, arrays)));
  remembered_ = remembers ? copies_of(all.subspan(dense + 2 * arrays)) : LayerArrays();
  resident_.clear();
}

}  // namespace headstart
