// data/split.hpp: draws a validation split that is stratified by class and never parts duplicates or groups.
// Surprise: the draw orders contents, not paths, so it is stable under renames, copies and additions
// elsewhere.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "data/manifest.hpp"
#include "data/sha256.hpp"

namespace headstart {

/// Samples whose files are byte-identical.
struct DuplicateSet {
  std::vector<std::size_t> rows;  ///< two or more rows of Manifest::samples, ascending
  bool labels_differ = false;     ///< the same bytes under two labels: someone is wrong
  bool splits_differ = false;     ///< given splits that share an image: validation is optimistic
};

/// Every set of byte-identical samples, by first row. `content[i]` is nothing for a sample that could not be
/// read.
[[nodiscard]] std::vector<DuplicateSet> find_duplicates(const Manifest& manifest,
                                                        std::span<const std::optional<Sha256>> content);

/// Assigns kTrain or kValidation to every sample of `rows` (those that can be used), in place.
/// Samples that share bytes or a group move together. Per class, the share of validation samples is as near
/// to `validation_fraction` as whole components allow, with at least one sample on each side where a class
/// has two or more components. Depends on contents, groups, labels and `seed` only, not on paths or order.
/// @param validation_fraction in (0, 1)
void draw_validation_split(Manifest& manifest, std::span<const std::size_t> rows,
                           std::span<const std::optional<Sha256>> content, double validation_fraction,
                           std::uint64_t seed);

}  // namespace headstart
