// data/labels_csv.hpp: a dataset given as a .csv or .tsv file: one image a row, its label beside its path.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "data/dataset_folder.hpp"
#include "data/manifest.hpp"

namespace headstart {

/// The manifest of a .csv or .tsv file, by the rules of docs/lists.md: its header names a column of paths and
/// one of labels; optionally splits and groups. Whether the images exist is not looked at, unless a path is
/// odd (data/listed_paths.hpp): one that is missing becomes a row with a reason when it is read. Paths are
/// below the file's folder (data/dataset_folder.hpp).
/// @param encoding  of the list, unless all of it is UTF-8; empty: its labels have to be UTF-8
/// @throws Error kFailed naming the line of what does not parse, the column that is missing, or the line of a
/// path that leads outside where that is not allowed
[[nodiscard]] Manifest read_labels_csv(const std::filesystem::path& file, OutsidePaths outside,
                                       const std::string& encoding = "");

/// The same from the file's text.
[[nodiscard]] Manifest parse_labels_csv(std::string_view text, const std::filesystem::path& file,
                                        OutsidePaths outside, const std::string& encoding = "");

}  // namespace headstart
