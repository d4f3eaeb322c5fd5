// data/dataset/split_folders.hpp: decides which folders of a dataset are its splits: by their names, or by
// --splits.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/dataset/manifest.hpp"

namespace headstart {

/// The value of --splits.
struct SplitFolders {
  /// How splits are found.
  enum class Kind {
    kAuto,   ///< names and contents of the folders decide; an ambiguous dataset is an error
    kNone,   ///< no folder is a split: each folder is a class
    kGiven,  ///< the splits are `folders`
  };
  Kind kind = Kind::kAuto;
  /// Paths, relative to the dataset or to its wrapper folders. If there is only kTrain, a validation split is
  /// drawn.
  std::vector<std::pair<Split, std::string>> folders;

  bool operator==(const SplitFolders&) const = default;
};

/// Reads "auto", "none" or "train=A,validation=B,test=C", where each part may be missing or come several
/// times. Nothing for any other text.
[[nodiscard]] std::optional<SplitFolders> parse_split_folders(std::string_view text);

/// The text that parse_split_folders() reads as the same splits.
[[nodiscard]] std::string to_string(const SplitFolders& splits);

/// The split that a folder called `name` usually is, in any case: "train", "Training", "training_set",
/// "val2017"; nothing for other names.
[[nodiscard]] std::optional<Split> well_known_split(std::string_view name);

/// The split that one word in `name` stands for, as in "seg_train". For advice only.
[[nodiscard]] std::optional<Split> likely_split(std::string_view name);

}  // namespace headstart
