// head/layers/column_parallel_layer.cpp
#include "head/layers/column_parallel_layer.hpp"

#include <algorithm>
#include <numeric>

#include "head/layers/first_layer_checks.hpp"
#include "head/layers/primal_kernel.hpp"

namespace headstart {
namespace {

constexpr std::size_t kNorms = 3;  // of each slab in PrimalSolver::state()

}  // namespace

ColumnParallelLayer::ColumnParallelLayer(const SparseRowsView& features, const Matrix& kernel, int threads,
                                         ProcessGroup& group, Blocks blocks)
    : group_(group), features_(static_cast<std::size_t>(features.columns)) {
  check_shape("first layer's kernel", kernel.rows(), kernel.cols(), features_,
              std::max<Eigen::Index>(kernel.cols(), 1));
  const std::vector<ColumnSlab> slabs = column_slabs(kernel.cols());
  const auto processes = static_cast<std::size_t>(group.size());
  Eigen::Index column = 0;
  shares_.reserve(processes);
  for (std::size_t rank = 0; rank < processes; ++rank) {
    Share share{rank * slabs.size() / processes, (rank + 1) * slabs.size() / processes, column, 0, 0};
    for (std::size_t s = share.first_slab; s < share.end_slab; ++s) {
      share.columns += slabs[s].columns;
      share.width += slabs[s].width;
    }
    column += share.columns;
    shares_.push_back(share);
  }
  if (own().columns > 0) {
    solver_.emplace(features, kernel.middleCols(own().first_column, own().columns), threads,
                    best_primal_kernel(), blocks);
  }
}

template <typename NumberOf>
std::vector<std::size_t> ColumnParallelLayer::counts(NumberOf number_of) const {
  std::vector<std::size_t> result(shares_.size());
  std::transform(shares_.begin(), shares_.end(), result.begin(), number_of);
  return result;
}

template <typename T>
std::vector<T> ColumnParallelLayer::gather(std::span<const T> own, std::span<const std::size_t> counts) {
  std::vector<std::size_t> bytes(counts.begin(), counts.end());
  for (std::size_t& count : bytes) count *= sizeof(T);
  const std::size_t total = std::accumulate(counts.begin(), counts.end(), std::size_t{0});
  std::vector<T> all(total);
  group_.all_gather(std::as_bytes(own), bytes, std::as_writable_bytes(std::span(all)));
  return all;
}

void ColumnParallelLayer::exchange(const Matrix& own_z, Eigen::Ref<Matrix> z) {
  if (z.rows() == 0) return;
  const auto rows = static_cast<std::size_t>(z.rows());
  const std::vector<std::size_t> floats =
      counts([&](const Share& share) { return rows * static_cast<std::size_t>(share.columns); });
  const std::vector<float> all =
      gather<float>({own_z.data(), static_cast<std::size_t>(own_z.size())}, floats);
  const float* from = all.data();
  for (const Share& share : shares_) {
    z.middleCols(share.first_column, share.columns) = Eigen::Map<const Matrix>(from, z.rows(), share.columns);
    from += rows * static_cast<std::size_t>(share.columns);
  }
}

void ColumnParallelLayer::forward(std::span<const RowIndex> rows, Eigen::Ref<Matrix> z, const Plan& plan) {
  check_shape("first layer's products", z.rows(), z.cols(), rows.size(), hidden());
  Matrix own_z(z.rows(), own().columns);
  if (solver_) solver_->forward(rows, own_z, plan);
  exchange(own_z, z);
}

void ColumnParallelLayer::step(std::span<const RowIndex> batch, const Eigen::Ref<const Matrix>& dz,
                               const SgdStep& sgd, std::span<const RowIndex> next, Eigen::Ref<Matrix> next_z,
                               const Plan& plan) {
  check_shape("first layer's gradient", dz.rows(), dz.cols(), batch.size(), hidden());
  Matrix own_z(static_cast<Eigen::Index>(next.size()), own().columns);
  if (solver_) {
    const Matrix own_dz = dz.middleCols(own().first_column, own().columns);
    solver_->step(batch, own_dz, sgd, next, own_z, plan);
  }
  exchange(own_z, next_z);
}

double ColumnParallelLayer::squared_norm() {
  const std::vector<double> own_norms = solver_ ? solver_->squared_norms() : std::vector<double>{};
  double sum = 0.0;
  for (const double norm :
       gather<double>(own_norms, counts([](const Share& share) { return share.slabs(); })))
    sum += norm;
  return sum;
}

void ColumnParallelLayer::use_rows(const SparseRowsView& rows) {
  if (solver_) solver_->use_rows(rows);
}

Matrix ColumnParallelLayer::release_kernel() {
  const Matrix own_kernel = solver_ ? solver_->kernel() : Matrix(static_cast<Eigen::Index>(features_), 0);
  solver_.reset();
  Matrix kernel(static_cast<Eigen::Index>(features_), hidden());
  exchange(own_kernel, kernel);
  return kernel;
}

void ColumnParallelLayer::remember() {
  if (solver_) solver_->remember();
  remembers_ = true;
}

void ColumnParallelLayer::recall() {
  if (solver_) solver_->recall();
}

// The arrays are stored slab after slab. So the arrays of all processes, end to end, are the arrays of one
// process. The same is true of the numbers: first those of W and V, then those of the remembered W.
FirstLayerState ColumnParallelLayer::state() {
  const FirstLayerState here = solver_ ? solver_->state() : FirstLayerState{};
  const std::vector<std::size_t> floats = counts([&](const Share& share) { return features_ * share.width; });
  gathered_.clear();
  for (std::size_t a = 0; a < (remembers_ ? 3U : 2U); ++a) {
    gathered_.push_back(gather<float>(solver_ ? here.arrays[a] : std::span<const float>{}, floats));
  }
  FirstLayerState state;
  state.arrays.assign(gathered_.begin(), gathered_.end());
  const std::span<const double> numbers(here.numbers);
  const std::size_t own_norms = solver_ ? kNorms * own().slabs() : 0;
  state.numbers = gather<double>(numbers.first(own_norms),
                                 counts([](const Share& share) { return kNorms * share.slabs(); }));
  if (!remembers_) return state;
  const std::vector<double> remembered =
      gather<double>(numbers.subspan(own_norms), counts([](const Share& share) { return share.slabs(); }));
  state.numbers.insert(state.numbers.end(), remembered.begin(), remembered.end());
  return state;
}

void ColumnParallelLayer::set_state(const FirstLayerState& state) {
  remembers_ = state.arrays.size() == 3;
  std::size_t before = 0;  // floats of the processes before this one
  std::size_t floats = 0;
  for (const Share& share : shares_) {
    if (&share == &own()) before = floats;
    floats += features_ * share.width;
  }
  const std::vector<std::size_t> needed(remembers_ ? 3 : 2, floats);
  check_state(state, slabs() * (remembers_ ? kNorms + 1 : kNorms), needed);
  if (!solver_) return;
  FirstLayerState here;
  here.arrays.reserve(state.arrays.size());
  for (const std::span<const float> array : state.arrays)
    here.arrays.push_back(array.subspan(before, features_ * own().width));
  const std::span<const double> numbers(state.numbers);
  const auto append = [&](std::span<const double> own_numbers) {
    here.numbers.insert(here.numbers.end(), own_numbers.begin(), own_numbers.end());
  };
  append(numbers.subspan(kNorms * own().first_slab, kNorms * own().slabs()));
  if (remembers_) append(numbers.subspan(kNorms * slabs() + own().first_slab, own().slabs()));
  solver_->set_state(here);
}

}  // namespace headstart
