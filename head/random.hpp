// head/random.hpp: seeded randomness that is the same on every platform; the distributions of std are not.
#pragma once

#include <bit>
#include <cstdint>
#include <span>

#include "memory/sparse_rows.hpp"

namespace headstart {

/// xoshiro256** by Blackman and Vigna (doi 10.1145/3460772), seeded through SplitMix64.
class Random {
 public:
  /// Two generators with the same seed give the same numbers.
  explicit Random(std::uint64_t seed) noexcept;

  /// 64 random bits. Defined in the header, because a first layer draws 25 million numbers.
  [[nodiscard]] std::uint64_t next() noexcept {
    const std::uint64_t result = std::rotl(state_[1] * 5U, 7) * 9U;
    const std::uint64_t shifted = state_[1] << 17U;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }
  /// Uniform in [0, 1), 24 bits.
  [[nodiscard]] float uniform() noexcept { return static_cast<float>(next() >> 40U) * 0x1p-24F; }
  /// Uniform in [0, bound), unbiased (Lemire, arXiv 1805.10941). @param bound at least 1
  [[nodiscard]] std::uint64_t below(std::uint64_t bound) noexcept;

 private:
  std::uint64_t state_[4];
};

/// A seed for one purpose ("shuffle", "layer 2"), independent of the other seeds from the same user seed.
[[nodiscard]] std::uint64_t derive_seed(std::uint64_t seed, std::uint64_t purpose) noexcept;

/// Shuffles `rows` (Fisher-Yates).
void shuffle(std::span<RowIndex> rows, Random& random) noexcept;

}  // namespace headstart
