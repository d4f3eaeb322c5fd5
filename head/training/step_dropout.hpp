// head/training/step_dropout.hpp: which activations a step leaves out. Every step draws from its own seed, so
// that a run can go on from any epoch.
#pragma once

#include <cstddef>
#include <cstdint>

#include "head/layers/upper_layers.hpp"
#include "head/seed_purpose.hpp"
#include "head/training/training_options.hpp"

namespace headstart {

[[nodiscard]] inline Dropout step_dropout(const TrainingOptions& options, int epoch,
                                          std::size_t step) noexcept {
  const std::uint64_t seed =
      derive_seed(derive_seed(options.seed, SeedPurpose::kDropout), static_cast<std::uint64_t>(epoch));
  return {options.dropout, derive_seed(seed, step)};
}

}  // namespace headstart
