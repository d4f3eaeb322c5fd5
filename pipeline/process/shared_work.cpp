// pipeline/process/shared_work.cpp
#include "pipeline/process/shared_work.hpp"

#include <algorithm>

namespace headstart {
namespace {

constexpr double kBlockSeconds = 25.0;
constexpr std::uint64_t kFirstBlock = 64;
constexpr std::uint64_t kLeastItems = 16;
constexpr std::uint64_t kMostItems = 4096;

}  // namespace

WorkCounts& WorkCounts::operator+=(const WorkCounts& other) noexcept {
  done += other.done;
  cached += other.cached;
  computed += other.computed;
  copies += other.copies;
  rejected += other.rejected;
  from_taps += other.from_taps;
  return *this;
}

std::uint64_t next_block(std::uint64_t last, double seconds, std::uint64_t left, int processes) {
  std::uint64_t block = kFirstBlock;
  if (last > 0) {
    const double growth = seconds > 0.0 ? std::min(kBlockSeconds / seconds, 2.0) : 2.0;
    block = static_cast<std::uint64_t>(static_cast<double>(last) * growth);
  }
  // Half of an even share of the remaining items, so that shares get smaller towards the end.
  const std::uint64_t share = left / (2 * static_cast<std::uint64_t>(processes));
  return std::clamp(std::min(block, share), kLeastItems, kMostItems);
}

}  // namespace headstart
