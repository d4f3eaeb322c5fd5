// head/training/epoch_order.cpp
#include "head/training/epoch_order.hpp"

#include <algorithm>
#include <numeric>

#include "head/random.hpp"
#include "head/seed_purpose.hpp"

namespace headstart {
namespace {

Random random_of(const OrderOptions& options, SeedPurpose purpose, std::uint64_t epoch) {
  return Random(derive_seed(derive_seed(options.seed, purpose), epoch));
}

// Positions in `training`, chunk after chunk, with the chunks in random order.
std::vector<RowIndex> positions_by_chunk(std::span<const RowIndex> training, const OrderOptions& options,
                                         std::uint64_t epoch) {
  const auto chunk_of = [&](RowIndex position) {
    return options.chunks[static_cast<std::size_t>(training[static_cast<std::size_t>(position)])];
  };
  std::vector<RowIndex> positions(training.size());
  std::iota(positions.begin(), positions.end(), 0);
  std::vector<RowIndex> chunks(positions.size());
  std::transform(positions.begin(), positions.end(), chunks.begin(), chunk_of);
  std::sort(chunks.begin(), chunks.end());
  chunks.erase(std::unique(chunks.begin(), chunks.end()), chunks.end());
  const RowIndex lowest = chunks.front();
  const RowIndex highest = chunks.back();
  Random random = random_of(options, SeedPurpose::kChunk, epoch);
  shuffle(chunks, random);
  std::vector<std::size_t> rank(static_cast<std::size_t>(highest - lowest) + 1);
  for (std::size_t i = 0; i < chunks.size(); ++i) rank[static_cast<std::size_t>(chunks[i] - lowest)] = i;
  std::stable_sort(positions.begin(), positions.end(), [&](RowIndex a, RowIndex b) {
    return rank[static_cast<std::size_t>(chunk_of(a) - lowest)] <
           rank[static_cast<std::size_t>(chunk_of(b) - lowest)];
  });
  return positions;
}

}  // namespace

EpochOrder::EpochOrder(std::span<const RowIndex> training, const OrderOptions& options, std::uint64_t epoch)
    : rows_(training.begin(), training.end()), batch_(options.batch), window_(steps() * batch_) {
  if (options.window != 0 && options.window < rows_.size())
    window_ = std::max<std::size_t>(options.window / batch_, 1) * batch_;
  if (!options.shuffle) return;
  Random random = random_of(options, SeedPurpose::kShuffle, epoch);
  if (windows() == 1) {
    shuffle(rows_, random);
    return;
  }
  std::vector<RowIndex> positions = positions_by_chunk(training, options, epoch);
  for (std::size_t first = 0; first < rows_.size(); first += window_) {
    const std::size_t count = std::min(window_, rows_.size() - first);
    const std::span<RowIndex> window = std::span(positions).subspan(first, count);
    std::sort(window.begin(), window.end());
    shuffle(window, random);
    for (std::size_t i = 0; i < count; ++i) rows_[first + i] = training[static_cast<std::size_t>(window[i])];
  }
}

std::span<const RowIndex> EpochOrder::batches(std::size_t step, std::size_t most) const noexcept {
  const std::size_t wanted = std::max<std::size_t>(most / batch_, 1) * batch_;
  const std::span<const RowIndex> rest = window(window_of(step)).subspan(first_in_window(step));
  return rest.first(std::min(wanted, rest.size()));
}

std::span<const RowIndex> EpochOrder::part(std::size_t index, std::size_t size) const noexcept {
  const std::size_t first = index * size;
  return std::span(rows_).subspan(first, std::min(size, rows_.size() - first));
}

}  // namespace headstart
