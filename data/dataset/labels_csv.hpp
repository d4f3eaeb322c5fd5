// data/dataset/labels_csv.hpp: reads a dataset from a .csv or .tsv file: each row has an image's path and its
// label.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "data/dataset/dataset_folder.hpp"
#include "data/dataset/manifest.hpp"

namespace headstart {

/// The manifest of a .csv or .tsv file, by the rules of docs/lists.md. The header names a column of paths and
/// one of labels; columns of splits and groups are optional. This function does not check whether the images
/// exist, unless a path is odd (data/dataset/listed_paths.hpp). A missing image becomes a reject when it is
/// read. Paths are below the file's folder (data/dataset/dataset_folder.hpp).
/// @param encoding  of the list, unless all of it is UTF-8; empty: its labels have to be UTF-8
/// @throws Error kFailed naming the line that does not parse, the missing column, or the line of a path that
/// `outside` refuses
[[nodiscard]] Manifest read_labels_csv(const std::filesystem::path& file, OutsidePaths outside,
                                       const std::string& encoding = "");

/// Like read_labels_csv(), from the file's text.
[[nodiscard]] Manifest parse_labels_csv(std::string_view text, const std::filesystem::path& file,
                                        OutsidePaths outside, const std::string& encoding = "");

}  // namespace headstart
