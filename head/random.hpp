// head/random.hpp: seeded randomness that is the same on every platform; the std distributions are not.
#pragma once

#include <cstdint>
#include <span>

#include "head/feature_rows.hpp"

namespace headstart {

/// xoshiro256** by Blackman and Vigna (doi 10.1145/3460772), seeded through SplitMix64.
class Random {
 public:
  explicit Random(std::uint64_t seed) noexcept;

  [[nodiscard]] std::uint64_t next() noexcept;
  /// Uniform in [0, 1), 24 bits.
  [[nodiscard]] float uniform() noexcept;
  /// Uniform in [0, bound), unbiased (Lemire, arXiv 1805.10941). @param bound at least 1
  [[nodiscard]] std::uint64_t below(std::uint64_t bound) noexcept;

 private:
  std::uint64_t state_[4];
};

/// A seed for one purpose ("shuffle", "layer 2"), independent of the others derived from the same user seed.
[[nodiscard]] std::uint64_t derive_seed(std::uint64_t seed, std::uint64_t purpose) noexcept;

/// Fisher-Yates.
void shuffle(std::span<RowIndex> rows, Random& random) noexcept;

}  // namespace headstart
