// data/dataset/split.hpp: draws a validation split, or folds, stratified by class. Duplicates and groups stay
// together. Note: the draw orders contents, not paths, so renames, copies and additions elsewhere do not
// change it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "data/dataset/manifest.hpp"
#include "data/sha256.hpp"

namespace headstart {

/// Samples whose files are byte-identical.
struct DuplicateSet {
  std::vector<std::size_t> rows;  ///< two or more indices into Manifest::samples, ascending
  bool labels_differ = false;     ///< the same bytes under two labels: one label is wrong
  bool splits_differ = false;     ///< given splits share an image: validation is optimistic
};

/// Every set of byte-identical samples, ordered by its first sample. `content[i]` is nothing for a sample
/// that could not be read.
[[nodiscard]] std::vector<DuplicateSet> find_duplicates(const Manifest& manifest,
                                                        std::span<const std::optional<Sha256>> content);

/// A line if the given splits divide a group: how many groups they divide, and the first one.
[[nodiscard]] std::optional<std::string> doubt_about_groups(const Manifest& manifest);

/// Assigns kTrain or kValidation to every sample of `rows` (indices of the usable samples), in place. Samples
/// with the same bytes or group get the same split. In each class, the share of validation samples is as near
/// to `validation_fraction` as whole components allow. If a class has two or more components, each side gets
/// at least one sample. Depends only on contents, groups, labels and `seed`, not on paths or order.
/// @param validation_fraction  in (0, 1)
void draw_validation_split(Manifest& manifest, std::span<const std::size_t> rows,
                           std::span<const std::optional<Sha256>> content, double validation_fraction,
                           std::uint64_t seed);

/// Divides `rows` into folds for cross-validation. Returns the fold, 0..folds-1, of each of `rows`, in their
/// order. Samples with the same bytes or group are in one fold. In each class (a component counts as the
/// class of most of its samples) the folds are as equal as whole components allow. Precisely: moving one
/// component or exchanging two would improve nothing. Fold sizes of single images differ by one at most. No
/// fold is empty; a class with fewer components than folds is missing in some folds. Depends only on
/// contents, groups, labels and `seed`, not on paths or order.
/// @param folds  two or more
/// @throws Error kUsage if `folds` is below two, kData if there are fewer components than folds
[[nodiscard]] std::vector<int> draw_folds(const Manifest& manifest, std::span<const std::size_t> rows,
                                          std::span<const std::optional<Sha256>> content, int folds,
                                          std::uint64_t seed);

}  // namespace headstart
