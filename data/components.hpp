// data/components.hpp: samples that must stay together, because their bytes or their group are the same.
// Whoever divides samples (a validation split, folds) divides components, in the seeded order given here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "data/manifest.hpp"
#include "data/sha256.hpp"

namespace headstart {

/// Samples tied by equal bytes or a group, directly or through others.
struct Component {
  std::vector<std::size_t> rows;  ///< of Manifest::samples
  Label majority = 0;             ///< the most frequent label; the smallest of several
  Sha256 order;                   ///< where it stands in the draw
};

/// The components of `rows`, in the order of the draw: by SHA-256 of `seed` and their smallest content, so
/// that paths and the order of `rows` have no say.
/// @param content  [manifest.samples.size()]; that of every one of `rows` is known
[[nodiscard]] std::vector<Component> components_of(const Manifest& manifest,
                                                   std::span<const std::size_t> rows,
                                                   std::span<const std::optional<Sha256>> content,
                                                   std::uint64_t seed);

}  // namespace headstart
