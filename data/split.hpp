// data/split.hpp: draws a validation split, or folds, stratified by class and never parting duplicates or
// groups.
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

/// A line if the given splits part a group: how many they part, and the first.
[[nodiscard]] std::optional<std::string> doubt_about_groups(const Manifest& manifest);

/// Assigns kTrain or kValidation to every sample of `rows` (those that can be used), in place.
/// Samples that share bytes or a group move together. Per class, the share of validation samples is as near
/// to `validation_fraction` as whole components allow, with at least one sample on each side where a class
/// has two or more components. Depends on contents, groups, labels and `seed` only, not on paths or order.
/// @param validation_fraction in (0, 1)
void draw_validation_split(Manifest& manifest, std::span<const std::size_t> rows,
                           std::span<const std::optional<Sha256>> content, double validation_fraction,
                           std::uint64_t seed);

/// Shares `rows` out among folds for cross-validation: the fold, 0..folds-1, of each of `rows`, in their
/// order. Samples that share bytes or a group are in one fold. Per class (a component counts as that of most
/// of its samples) the folds are as equal as whole components allow, up to what moving one component or
/// exchanging two would still improve: sizes of single images differ by one at most. No fold is empty; a
/// class with fewer components than there are folds is missing in some. Depends on contents, groups, labels
/// and `seed` only, not on paths or order.
/// @param folds  two or more
/// @throws Error kUsage if `folds` is below two, kData if there are fewer components than folds
[[nodiscard]] std::vector<int> draw_folds(const Manifest& manifest, std::span<const std::size_t> rows,
                                          std::span<const std::optional<Sha256>> content, int folds,
                                          std::uint64_t seed);

}  // namespace headstart
