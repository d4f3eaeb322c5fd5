// data/split_folders.hpp: which folders of a dataset are its splits: known by their names, or as --splits
// says.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/manifest.hpp"

namespace headstart {

/// What --splits says.
struct SplitFolders {
  /// How splits are found.
  enum class Kind {
    kAuto,   ///< names and what the folders hold say it; what is ambiguous is an error
    kNone,   ///< no folder is a split: each is a class
    kGiven,  ///< those of `folders`
  };
  Kind kind = Kind::kAuto;
  /// Paths, relative to the dataset or to its wrapper folders. Only kTrain: a validation split is drawn.
  std::vector<std::pair<Split, std::string>> folders;

  bool operator==(const SplitFolders&) const = default;
};

/// "auto", "none" or "train=A,validation=B,test=C", of which each may be missing, or be there more than once.
/// Nothing for anything else.
[[nodiscard]] std::optional<SplitFolders> parse_split_folders(std::string_view text);

/// What parse_split_folders() reads.
[[nodiscard]] std::string to_string(const SplitFolders& splits);

/// The split that a folder called `name` is well known as, in any case: "train", "Training", "training_set",
/// "val2017"; nothing for other names.
[[nodiscard]] std::optional<Split> well_known_split(std::string_view name);

/// The split that one word in `name` stands for: "seg_train". For advice only.
[[nodiscard]] std::optional<Split> likely_split(std::string_view name);

}  // namespace headstart
