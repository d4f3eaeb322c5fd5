// head/seed_purpose.hpp: what the seeds are for that are derived from a person's one. Never renumber: a
// seed's result would change. Every purpose has a number of its own, or two of them would draw alike.
#pragma once

#include <cstdint>

#include "head/random.hpp"

namespace headstart {

enum class SeedPurpose : std::uint64_t {
  kShuffle = 1,        ///< an epoch's order of rows
  kDropout = 2,        ///< what a step leaves out
  kChunk = 3,          ///< an epoch's order of chunks
  kLearningCurve = 4,  ///< which images a smaller training set has
  kFirstLayer = 1000,  ///< initial weights; those of layer l: this + l, so that nothing may follow
};

/// A seed for one purpose, and a number within it.
[[nodiscard]] inline std::uint64_t derive_seed(std::uint64_t seed, SeedPurpose purpose,
                                               std::uint64_t number = 0) noexcept {
  return derive_seed(seed, static_cast<std::uint64_t>(purpose) + number);
}

}  // namespace headstart
