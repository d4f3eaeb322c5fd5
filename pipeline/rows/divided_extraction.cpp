// pipeline/rows/divided_extraction.cpp
#include "pipeline/rows/divided_extraction.hpp"

#include <cstddef>
#include <cstdint>

namespace headstart {
namespace {

/// Marks the rows that any process has computed, and their copies, although they are in the cache by now.
/// @param own  results for files rank, rank + size, ...
/// @param all  results for all files; changed
void tell_new_rows(std::span<const ImageResult> own, int views, ProcessGroup& processes,
                   std::span<ImageResult> all) {
  const std::size_t rows = 1 + static_cast<std::size_t>(views);
  const auto size = static_cast<std::size_t>(processes.size());
  constexpr auto kOld = static_cast<std::byte>(ImageStatus::kCached);
  std::vector<std::byte> fates(own.size() * rows, kOld);
  for (std::size_t i = 0; i < own.size(); ++i) {
    const auto mark = [&](std::size_t row, ImageStatus status) {
      fates[i * rows + row] = static_cast<std::byte>(status);
    };
    mark(0, own[i].status);
    for (std::size_t view = 0; view < own[i].views.size(); ++view) mark(1 + view, own[i].views[view]);
  }
  std::vector<std::size_t> counts(size);
  for (std::size_t rank = 0; rank < size; ++rank) counts[rank] = (all.size() + size - 1 - rank) / size * rows;
  std::vector<std::byte> of_all(all.size() * rows);
  processes.all_gather(fates, counts, of_all);
  const std::byte* from = of_all.data();
  for (std::size_t rank = 0; rank < size; ++rank) {
    for (std::size_t i = rank; i < all.size(); i += size, from += rows) {
      const auto mark = [&](std::size_t row, ImageStatus& status) {
        const auto fate = static_cast<ImageStatus>(from[row]);
        if (has_row(fate) && status == ImageStatus::kCached) status = fate;
      };
      mark(0, all[i].status);
      for (std::size_t view = 0; view < all[i].views.size(); ++view) mark(1 + view, all[i].views[view]);
    }
  }
}

RowsOfTaps sum_over(ProcessGroup& processes, const Network& network, const RowsOfTaps& of_this) {
  const auto size = static_cast<std::size_t>(processes.size());
  std::vector<std::uint64_t> own;  // of each of the network's taps
  for (const Tap& tap : network.taps) {
    const auto found = of_this.find(tap.name);
    own.push_back(found == of_this.end() ? 0 : found->second);
  }
  std::vector<std::uint64_t> all(size * own.size());
  const std::vector<std::size_t> counts(size, own.size() * sizeof(std::uint64_t));
  processes.all_gather(std::as_bytes(std::span(own)), counts, std::as_writable_bytes(std::span(all)));
  RowsOfTaps sum;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i] > 0) sum[network.taps[i % own.size()].name] += all[i];
  }
  return sum;
}

}  // namespace

std::vector<ImageSource> share_of(std::span<const ImageSource> files, const ProcessGroup& processes) {
  std::vector<ImageSource> share;
  for (auto i = static_cast<std::size_t>(processes.rank()); i < files.size();
       i += static_cast<std::size_t>(processes.size()))
    share.push_back(files[i]);
  return share;
}

void add_computed(const Extraction& own, int views, const Network& network, ProcessGroup& processes,
                  Extraction& all) {
  if (own.engine) all.engine = own.engine;
  all.seconds += own.seconds;
  tell_new_rows(own.images, views, processes, all.images);
  all.from_taps = sum_over(processes, network, own.from_taps);
}

}  // namespace headstart
