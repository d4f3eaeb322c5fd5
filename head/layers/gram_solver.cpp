// head/layers/gram_solver.cpp
#include "head/layers/gram_solver.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>

#include "head/layers/dense_product.hpp"
#include "head/layers/first_layer_checks.hpp"
#include "head/layers/kernel_matrix.hpp"
#include "head/layers/sparse_product.hpp"

namespace headstart {
namespace {

// The rows of A and B that are updated and then multiplied while they are in cache: 64 KiB of each.
constexpr std::size_t kTileRows = 256;

GramBasis basis_of(const TiledRows& features, const Matrix& initial_kernel, int threads) {
  Workers workers(threads);
  std::vector<RowIndex> rows(features.features().rows());
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<RowIndex>(i);
  GramBasis basis;
  basis.kernel_matrix = std::make_shared<const Matrix>(kernel_matrix(features, workers));
  basis.initial_products =
      std::make_shared<const Matrix>(sparse_product(features, rows, initial_kernel, workers));
  basis.initial_squared_norm = squared_norm(initial_kernel, workers);
  return basis;
}

void set_zero(AlignedFloats& floats) { std::fill(floats.span().begin(), floats.span().end(), 0.0F); }

}  // namespace

GramSolver::GramSolver(GramBasis basis, std::span<const RowIndex> training, int threads)
    : basis_(std::move(basis)),
      workers_(threads),
      training_(training.begin(), training.end()),
      positions_(static_cast<std::size_t>(basis_.kernel_matrix->rows()), -1),
      norms_(KernelNorms{basis_.initial_squared_norm, 0.0, 0.0}) {
  const auto rows = static_cast<std::size_t>(basis_.kernel_matrix->rows());
  check_shape("kernel matrix", basis_.kernel_matrix->rows(), basis_.kernel_matrix->cols(), rows,
              basis_.kernel_matrix->rows());
  check_shape("initial products", basis_.initial_products->rows(), basis_.initial_products->cols(), rows,
              std::max<Eigen::Index>(basis_.initial_products->cols(), 1));
  check_rows(training, rows);
  for (std::size_t i = 0; i < training_.size(); ++i) {
    positions_[static_cast<std::size_t>(training_[i])] = static_cast<std::int32_t>(i);
  }
  for (const ColumnSlab& columns : column_slabs(hidden())) {
    Slab& slab = slabs_.emplace_back();
    slab.columns = columns;
    slab.a = AlignedFloats(training_.size() * columns.width);
    slab.b = AlignedFloats(training_.size() * columns.width);
    set_zero(slab.a);
    set_zero(slab.b);
  }
}

GramSolver::GramSolver(const SparseRowsView& features, Matrix initial_kernel,
                       std::span<const RowIndex> training, int threads)
    : GramSolver(TiledRows(features, kTileFeatures), std::move(initial_kernel), training, threads) {}

GramSolver::GramSolver(TiledRows features, Matrix initial_kernel, std::span<const RowIndex> training,
                       int threads)
    : GramSolver(basis_of(features, initial_kernel, threads), training, threads) {
  features_.emplace(std::move(features));
  initial_kernel_ = std::move(initial_kernel);
}

// ---- the rows whose products are known

void GramSolver::expect(std::span<const RowIndex> rows, bool velocity) {
  known_.rows.assign(rows.begin(), rows.end());
  known_.velocity = velocity;
  const auto count = static_cast<Eigen::Index>(rows.size());
  known_.kernel.resize(count, static_cast<Eigen::Index>(training_.size()));
  known_.z.resize(count, hidden());
  known_.y.resize(velocity ? count : 0, hidden());
  for (Eigen::Index i = 0; i < count; ++i) {
    const auto from = basis_.kernel_matrix->row(rows[static_cast<std::size_t>(i)]);
    for (std::size_t j = 0; j < training_.size(); ++j) {
      known_.kernel(i, static_cast<Eigen::Index>(j)) = from(training_[j]);
    }
  }
}

// K[known, training] times A (and B), for training positions [first, first + count).
void GramSolver::multiply(std::size_t first, std::size_t count, Slab& slab) const {
  const std::size_t width = slab.columns.width;
  DenseProduct product{.a = known_.kernel.data() + first,
                       .a_row = training_.size(),
                       .b = slab.a.span().data() + first * width,
                       .b_row = width,
                       .c = slab.z.data(),
                       .c_row = width,
                       .rows = known_.rows.size(),
                       .inner = count,
                       .columns = width};
  add_product(product);
  if (!known_.velocity) return;
  product.b = slab.b.span().data() + first * width;
  product.c = slab.y.data();
  add_product(product);
}

// c X W_0 + K A and e X W_0 + K B, for a slab's columns.
void GramSolver::keep_products(Slab& slab) {
  const auto rows = static_cast<Eigen::Index>(known_.rows.size());
  const auto z = without_padding(slab.z, rows, slab.columns);
  const auto y = without_padding(slab.y, known_.y.rows(), slab.columns);
  for (Eigen::Index i = 0; i < rows; ++i) {
    const auto initial = basis_.initial_products->row(known_.rows[static_cast<std::size_t>(i)])
                             .segment(slab.columns.first, slab.columns.columns);
    known_.z.row(i).segment(slab.columns.first, slab.columns.columns) =
        static_cast<float>(initial_.w) * initial + z.row(i);
    if (!known_.velocity) continue;
    known_.y.row(i).segment(slab.columns.first, slab.columns.columns) =
        static_cast<float>(initial_.v) * initial + y.row(i);
  }
}

void GramSolver::multiply_all(std::span<const RowIndex> rows, bool velocity) {
  expect(rows, velocity);
  workers_.for_each(slabs_.size(), [&](std::size_t s) {
    Slab& slab = slabs_[s];
    clear_products(slab);
    for (std::size_t first = 0; first < training_.size(); first += kTileRows) {
      multiply(first, std::min(kTileRows, training_.size() - first), slab);
    }
    keep_products(slab);
  });
}

void GramSolver::clear_products(Slab& slab) const {
  slab.z.assign(known_.rows.size() * slab.columns.width, 0.0F);
  slab.y.assign(known_.velocity ? known_.rows.size() * slab.columns.width : 0, 0.0F);
}

std::size_t GramSolver::know(std::span<const RowIndex> batch) {
  if (known_.velocity && known_.rows.size() >= batch.size() &&
      std::equal(batch.begin(), batch.end(), known_.rows.end() - static_cast<std::ptrdiff_t>(batch.size()))) {
    return known_.rows.size() - batch.size();
  }
  multiply_all(batch, true);
  return 0;
}

void GramSolver::forward(std::span<const RowIndex> rows, Eigen::Ref<Matrix> z, const Plan& /*plan*/) {
  check_rows(rows, positions_.size());
  check_shape("first layer's products", z.rows(), z.cols(), rows.size(), hidden());
  // A few rows are probably the next batch, whose step will need X V, too.
  multiply_all(rows, rows.size() <= kTileRows);
  z = known_.z;
}

// ---- a step

void GramSolver::assign_batch(std::span<const RowIndex> batch) {
  offsets_.assign(training_.size() + 1, 0);
  for (const RowIndex row : batch) {
    const std::int32_t position = positions_[static_cast<std::size_t>(row)];
    if (position < 0) {
      throw std::invalid_argument("gram solver: batch row " + std::to_string(row) + " is not a training row");
    }
    ++offsets_[static_cast<std::size_t>(position) + 1];
  }
  for (std::size_t i = 0; i < training_.size(); ++i) offsets_[i + 1] += offsets_[i];
  entries_.resize(batch.size());
  std::vector<std::int64_t> next(offsets_.begin(), offsets_.end() - 1);
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const auto position = static_cast<std::size_t>(positions_[static_cast<std::size_t>(batch[i])]);
    entries_[static_cast<std::size_t>(next[position]++)] = {static_cast<std::int32_t>(i), 1.0F};
  }
}

void GramSolver::load_gradient(const Eigen::Ref<const Matrix>& dz, Slab& slab) {
  const std::size_t floats = static_cast<std::size_t>(dz.rows()) * slab.columns.width;
  if (slab.dz.span().size() != floats) slab.dz = AlignedFloats(floats);
  set_zero(slab.dz);
  without_padding(slab.dz.span(), dz.rows(), slab.columns) =
      dz.middleCols(slab.columns.first, slab.columns.columns);
}

// The slab's part of <W, G>, <V, G> and <G, G>, with W and V from before the step.
void GramSolver::multiply_gradient(std::size_t first_known, Slab& slab) const {
  const Eigen::Index batch = batch_kernel_.rows();
  const auto dz = without_padding(slab.dz.span(), batch, slab.columns);
  const auto first = static_cast<Eigen::Index>(first_known);
  const ColumnSlab& columns = slab.columns;
  slab.gradient.w_g = inner_product(previous_.z.block(first, columns.first, batch, columns.columns), dz);
  slab.gradient.v_g = inner_product(previous_.y.block(first, columns.first, batch, columns.columns), dz);
  const Matrix transposed = dz.transpose();  // [columns, batch]
  Matrix products = Matrix::Zero(batch, batch);
  add_product({.a = slab.dz.span().data(),
               .a_row = columns.width,
               .b = transposed.data(),
               .b_row = static_cast<std::size_t>(batch),
               .c = products.data(),
               .c_row = static_cast<std::size_t>(batch),
               .rows = static_cast<std::size_t>(batch),
               .inner = static_cast<std::size_t>(columns.columns),
               .columns = static_cast<std::size_t>(batch)});
  slab.gradient.g_g = inner_product(products, batch_kernel_);
}

// The step on A and B of training positions [first, first + count). The step is the same as the primal
// solver's.
void GramSolver::update(std::size_t first, std::size_t count, const SgdStep& sgd, Slab& slab) const {
  const std::size_t width = slab.columns.width;
  routines_.update({.kernel = slab.a.span().subspan(first * width, count * width),
                    .velocity = slab.b.span().subspan(first * width, count * width),
                    .width = width,
                    .offsets = std::span(offsets_).subspan(first, count + 1),
                    .entries = entries_,
                    .dz = slab.dz.span(),
                    .learning_rate = static_cast<float>(sgd.learning_rate),
                    .momentum = static_cast<float>(sgd.momentum),
                    .two_l2 = static_cast<float>(2.0 * sgd.l2),
                    .nesterov = sgd.nesterov});
}

void GramSolver::step(std::span<const RowIndex> batch, const Eigen::Ref<const Matrix>& dz, const SgdStep& sgd,
                      std::span<const RowIndex> next, Eigen::Ref<Matrix> next_z, const Plan& /*plan*/) {
  check_rows(batch, positions_.size());
  check_rows(next, positions_.size());
  check_shape("first layer's gradient", dz.rows(), dz.cols(), batch.size(), hidden());
  check_shape("first layer's products", next_z.rows(), next_z.cols(), next.size(),
              next.empty() ? next_z.cols() : hidden());
  assign_batch(batch);
  const bool with_norms = sgd.l2 > 0.0;
  std::size_t first_known = 0;
  if (with_norms) {
    if (!norms_) norms_ = exact_norms();
    first_known = know(batch);
    batch_kernel_.resize(dz.rows(), dz.rows());
    for (Eigen::Index i = 0; i < dz.rows(); ++i) {
      for (Eigen::Index j = 0; j < dz.rows(); ++j) {
        batch_kernel_(i, j) =
            (*basis_.kernel_matrix)(batch[static_cast<std::size_t>(i)], batch[static_cast<std::size_t>(j)]);
      }
    }
  }
  initial_ = after_step(initial_, 0.0, sgd);

  std::swap(known_, previous_);
  expect(next, with_norms);
  workers_.for_each(slabs_.size(), [&](std::size_t s) {
    Slab& slab = slabs_[s];
    load_gradient(dz, slab);
    if (with_norms) multiply_gradient(first_known, slab);
    clear_products(slab);
    for (std::size_t first = 0; first < training_.size(); first += kTileRows) {
      const std::size_t count = std::min(kTileRows, training_.size() - first);
      update(first, count, sgd, slab);
      if (!next.empty()) multiply(first, count, slab);
    }
    keep_products(slab);
  });
  if (with_norms) {
    GradientProducts gradient;
    for (const Slab& slab : slabs_) {
      gradient.w_g += slab.gradient.w_g;
      gradient.v_g += slab.gradient.v_g;
      gradient.g_g += slab.gradient.g_g;
    }
    norms_ = after_step(*norms_, gradient, sgd);
  } else {
    norms_.reset();
  }
  if (!next.empty()) next_z = known_.z;
}

// ---- |W|^2

KernelNorms GramSolver::exact_norms() {
  const auto rows = static_cast<Eigen::Index>(training_.size());
  multiply_all(training_, true);
  // <W, W> = c <W_0, W> + <X^T A, W> = c^2 |W_0|^2 + c <X W_0, A> + <A, X W>, and so on.
  double x0_a = 0.0;
  double x0_b = 0.0;
  double a_z = 0.0;
  double b_z = 0.0;
  double b_y = 0.0;
  for (Slab& slab : slabs_) {
    const ColumnSlab& columns = slab.columns;
    const auto a = without_padding(slab.a.span(), rows, columns);
    const auto b = without_padding(slab.b.span(), rows, columns);
    for (Eigen::Index i = 0; i < rows; ++i) {
      const auto initial = basis_.initial_products->row(training_[static_cast<std::size_t>(i)])
                               .segment(columns.first, columns.columns);
      x0_a += inner_product(initial, a.row(i));
      x0_b += inner_product(initial, b.row(i));
    }
    const auto z = known_.z.middleCols(columns.first, columns.columns);
    a_z += inner_product(a, z);
    b_z += inner_product(b, z);
    b_y += inner_product(b, known_.y.middleCols(columns.first, columns.columns));
  }
  const double w0 = basis_.initial_squared_norm;
  const auto [c, e] = initial_;
  return {.w_w = c * c * w0 + c * x0_a + a_z,
          .w_v = c * e * w0 + e * x0_a + b_z,
          .v_v = e * e * w0 + e * x0_b + b_y};
}

double GramSolver::squared_norm() {
  if (!norms_) return exact_norms().w_w;
  return norms_->w_w;
}

// ---- W

Matrix GramSolver::release_kernel() {
  if (!features_) throw std::logic_error("gram solver: W needs the features and W_0");
  Matrix coefficients(static_cast<Eigen::Index>(training_.size()), hidden());
  for (Slab& slab : slabs_) {
    coefficients.middleCols(slab.columns.first, slab.columns.columns) =
        without_padding(slab.a.span(), coefficients.rows(), slab.columns);
  }
  Matrix kernel = std::move(initial_kernel_);
  add_transposed_sparse_product(*features_, training_, coefficients, static_cast<float>(initial_.w), kernel,
                                workers_);
  return kernel;
}

void GramSolver::remember() {
  for (Slab& slab : slabs_) {
    if (slab.remembered.span().empty()) slab.remembered = AlignedFloats(slab.a.span().size());
    std::copy(slab.a.span().begin(), slab.a.span().end(), slab.remembered.span().begin());
  }
  remembered_c_ = initial_.w;
  remembered_norms_ = norms_;
}

void GramSolver::recall() {
  for (Slab& slab : slabs_) {
    if (slab.remembered.span().size() != slab.a.span().size())
      throw std::logic_error("recall() without remember()");
    std::swap(slab.a, slab.remembered);
  }
  initial_.w = remembered_c_;
  norms_ = remembered_norms_;
  known_.rows.clear();
}

// ---- the state to go on from: A, B, c, e and the remembered values

FirstLayerState GramSolver::state() {
  FirstLayerState state;
  const auto add = [&](double c, const std::optional<KernelNorms>& norms) {
    const KernelNorms known = norms.value_or(KernelNorms{});
    state.numbers.insert(state.numbers.end(), {c, norms ? 1.0 : 0.0, known.w_w, known.w_v, known.v_v});
  };
  state.numbers.push_back(initial_.v);
  add(initial_.w, norms_);
  add(remembered_c_, remembered_norms_);
  for (const Slab& slab : slabs_) {
    state.arrays.insert(state.arrays.end(), {slab.a.span(), slab.b.span(), slab.remembered.span()});
  }
  return state;
}

void GramSolver::set_state(const FirstLayerState& state) {
  const bool remembers = state.arrays.size() > 2 && !state.arrays[2].empty();
  std::vector<std::size_t> floats;
  for (const Slab& slab : slabs_) {
    const std::size_t size = slab.a.span().size();
    floats.insert(floats.end(), {size, size, remembers ? size : 0});
  }
  check_state(state, 11, floats);
  const auto norms_at = [&](std::size_t first) -> std::optional<KernelNorms> {
    if (state.numbers[first] == 0.0) return std::nullopt;
    return KernelNorms{state.numbers[first + 1], state.numbers[first + 2], state.numbers[first + 3]};
  };
  initial_ = {state.numbers[1], state.numbers[0]};
  norms_ = norms_at(2);
  remembered_c_ = state.numbers[6];
  remembered_norms_ = norms_at(7);
  for (std::size_t s = 0; s < slabs_.size(); ++s) {
    Slab& slab = slabs_[s];
    slab.remembered = AlignedFloats(remembers ? slab.a.span().size() : 0);
    AlignedFloats* const targets[] = {&slab.a, &slab.b, &slab.remembered};
    for (std::size_t i = 0; i < 3; ++i) {
      const std::span<const float> source = state.arrays[3 * s + i];
      std::copy(source.begin(), source.end(), targets[i]->span().begin());
    }
  }
  known_.rows.clear();  // the known products are of other weights
}

}  // namespace headstart
