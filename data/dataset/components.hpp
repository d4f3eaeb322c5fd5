// data/dataset/components.hpp: samples that must stay together, because they have the same bytes or the same
// group. A validation split and folds divide components, not samples, in the seeded order given here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "data/dataset/manifest.hpp"
#include "data/sha256.hpp"

namespace headstart {

/// Samples with the same bytes or group, directly or through other samples.
struct Component {
  std::vector<std::size_t> rows;  ///< indices into Manifest::samples
  Label majority = 0;             ///< the most frequent label; the smallest of several
  Sha256 order;                   ///< its place in the draw
};

/// The components of `rows`, in the order of the draw. Sorted by SHA-256 of `seed` and their smallest
/// content, so that paths and the order of `rows` have no influence.
/// @param content  [manifest.samples.size()]; known for every one of `rows`
[[nodiscard]] std::vector<Component> components_of(const Manifest& manifest,
                                                   std::span<const std::size_t> rows,
                                                   std::span<const std::optional<Sha256>> content,
                                                   std::uint64_t seed);

}  // namespace headstart
