// head/column_parallel_layer.cpp
#include "head/column_parallel_layer.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "head/first_layer_checks.hpp"
#include "head/primal_kernel.hpp"

namespace headstart {

ColumnParallelLayer::ColumnParallelLayer(const FeatureRows& features, const Matrix& kernel, int threads,
                                         ProcessGroup& group)
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
                    best_primal_kernel());
  }
  norms_ = gather<double>(own_norms(), counts([](const Share& share) { return share.slabs(); }));
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

std::vector<double> ColumnParallelLayer::own_norms() {
  if (!solver_) return {};
  std::vector<double> norms = solver_->state().numbers;
  norms.resize(own().slabs());  // without the remembered ones
  return norms;
}

// Each process sends its columns of z, then its slabs' norms.
void ColumnParallelLayer::exchange(const Matrix& own_z, Eigen::Ref<Matrix> z) {
  const auto rows = static_cast<std::size_t>(z.rows());
  const auto z_bytes = [&](const Share& share) {
    return rows * static_cast<std::size_t>(share.columns) * sizeof(float);
  };
  const std::vector<std::size_t> bytes =
      counts([&](const Share& share) { return z_bytes(share) + share.slabs() * sizeof(double); });
  const std::vector<double> norms = own_norms();
  std::vector<std::byte> sent;
  sent.reserve(bytes[static_cast<std::size_t>(group_.rank())]);
  const auto append = [&](std::span<const std::byte> part) {
    sent.insert(sent.end(), part.begin(), part.end());
  };
  append(std::as_bytes(std::span(own_z.data(), static_cast<std::size_t>(own_z.size()))));
  append(std::as_bytes(std::span(norms)));
  std::vector<std::byte> all(std::accumulate(bytes.begin(), bytes.end(), std::size_t{0}));
  group_.all_gather(sent, bytes, all);

  const std::byte* from = all.data();
  for (const Share& share : shares_) {
    Matrix part(z.rows(), share.columns);
    if (part.size() > 0) std::memcpy(part.data(), from, z_bytes(share));
    if (z.rows() > 0) z.middleCols(share.first_column, share.columns) = part;
    from += z_bytes(share);
    const std::size_t slabs_bytes = share.slabs() * sizeof(double);
    if (slabs_bytes > 0) std::memcpy(norms_.data() + share.first_slab, from, slabs_bytes);
    from += slabs_bytes;
  }
}

void ColumnParallelLayer::forward(std::span<const RowIndex> rows, Eigen::Ref<Matrix> z) {
  check_shape("first layer's products", z.rows(), z.cols(), rows.size(), hidden());
  Matrix own_z(z.rows(), own().columns);
  if (solver_) solver_->forward(rows, own_z);
  exchange(own_z, z);
}

void ColumnParallelLayer::step(std::span<const RowIndex> batch, const Eigen::Ref<const Matrix>& dz,
                               const SgdStep& sgd, std::span<const RowIndex> next,
                               Eigen::Ref<Matrix> next_z) {
  check_shape("first layer's gradient", dz.rows(), dz.cols(), batch.size(), hidden());
  Matrix own_z(static_cast<Eigen::Index>(next.size()), own().columns);
  if (solver_) {
    const Matrix own_dz = dz.middleCols(own().first_column, own().columns);
    solver_->step(batch, own_dz, sgd, next, own_z);
  }
  exchange(own_z, next_z);
}

double ColumnParallelLayer::squared_norm() {
  double sum = 0.0;
  for (const double norm : norms_) sum += norm;
  return sum;
}

void ColumnParallelLayer::use_rows(const FeatureRows& rows) {
  if (solver_) solver_->use_rows(rows);
}

Matrix ColumnParallelLayer::release_kernel() {
  const Matrix own_kernel = solver_ ? solver_->kernel() : Matrix();
  solver_.reset();
  const std::vector<std::size_t> floats =
      counts([&](const Share& share) { return features_ * static_cast<std::size_t>(share.columns); });
  const std::vector<float> all =
      gather<float>({own_kernel.data(), static_cast<std::size_t>(own_kernel.size())}, floats);
  Matrix kernel(static_cast<Eigen::Index>(features_), hidden());
  const float* from = all.data();
  for (const Share& share : shares_) {
    kernel.middleCols(share.first_column, share.columns) =
        Eigen::Map<const Matrix>(from, kernel.rows(), share.columns);
    from += features_ * static_cast<std::size_t>(share.columns);
  }
  return kernel;
}

void ColumnParallelLayer::remember() {
  if (solver_) solver_->remember();
  remembered_norms_ = norms_;
}

void ColumnParallelLayer::recall() {
  if (solver_) solver_->recall();
  norms_ = remembered_norms_;
}

// The arrays lie slab after slab, so those of all processes end to end are those of one.
FirstLayerState ColumnParallelLayer::state() {
  const FirstLayerState here = solver_ ? solver_->state() : FirstLayerState{};
  const std::size_t arrays = remembered_norms_.empty() ? 2 : 3;
  const std::vector<std::size_t> floats = counts([&](const Share& share) { return features_ * share.width; });
  gathered_.clear();
  FirstLayerState state;
  gathered_.reserve(arrays);
  for (std::size_t a = 0; a < arrays; ++a) {
    gathered_.push_back(gather<float>(solver_ ? here.arrays[a] : std::span<const float>{}, floats));
  }
  for (const std::vector<float>& array : gathered_) state.arrays.emplace_back(array);
  state.numbers = norms_;
  state.numbers.insert(state.numbers.end(), remembered_norms_.begin(), remembered_norms_.end());
  return state;
}

void ColumnParallelLayer::set_state(const FirstLayerState& state) {
  const bool remembers = state.arrays.size() == 3;
  std::size_t before = 0;  // floats of the processes before this one
  std::size_t floats = 0;
  for (const Share& share : shares_) {
    if (&share == &own()) before = floats;
    floats += features_ * share.width;
  }
  const std::vector<std::size_t> needed(remembers ? 3 : 2, floats);
  check_state(state, slabs() * (remembers ? 2 : 1), needed);
  const std::span<const double> numbers(state.numbers);
  norms_.assign(numbers.begin(), numbers.begin() + static_cast<std::ptrdiff_t>(slabs()));
  remembered_norms_.assign(numbers.begin() + static_cast<std::ptrdiff_t>(slabs()), numbers.end());
  if (!solver_) return;
  FirstLayerState here;
  here.arrays.reserve(state.arrays.size());
  for (const std::span<const float> array : state.arrays)
    here.arrays.push_back(array.subspan(before, features_ * own().width));
  for (const std::vector<double>* norms : {&norms_, &remembered_norms_}) {
    if (norms->empty()) continue;
    here.numbers.insert(here.numbers.end(), norms->begin() + static_cast<std::ptrdiff_t>(own().first_slab),
                        norms->begin() + static_cast<std::ptrdiff_t>(own().end_slab));
  }
  solver_->set_state(here);
}

}  // namespace headstart
