// head/seed_purpose.hpp: the purposes of the seeds that are derived from the user's seed. Never renumber
// them: a seed's result would change. Every purpose has its own number; otherwise two purposes would draw the
// same numbers.
#pragma once

#include <cstdint>

#include "head/random.hpp"

namespace headstart {

enum class SeedPurpose : std::uint64_t {
  kShuffle = 1,        ///< an epoch's order of rows
  kDropout = 2,        ///< the activations that a step leaves out
  kChunk = 3,          ///< an epoch's order of chunks
  kLearningCurve = 4,  ///< the images of a smaller training set
  kSearchPart = 5,     ///< the images of an early round of a search
  kSearchBudget = 6,   ///< the candidates that a budget lets a search try
  /// Initial weights; layer l has this + l, so no purpose may follow.
  kFirstLayer = 1000,
};

/// A seed for one purpose and for a number within this purpose.
[[nodiscard]] inline std::uint64_t derive_seed(std::uint64_t seed, SeedPurpose purpose,
                                               std::uint64_t number = 0) noexcept {
  return derive_seed(seed, static_cast<std::uint64_t>(purpose) + number);
}

}  // namespace headstart
