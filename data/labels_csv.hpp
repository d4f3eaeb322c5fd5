// data/labels_csv.hpp: a dataset given as a .csv file: one image a row, its label beside its path.
#pragma once

#include <filesystem>
#include <string_view>

#include "data/dataset_folder.hpp"
#include "data/manifest.hpp"

namespace headstart {

/// The manifest of a .csv file whose header names path or file_name, and label; optionally split and group.
/// Whether the images exist is not looked at: one that is missing becomes a row with a reason when it is
/// read. Paths are below the file's folder (data/dataset_folder.hpp).
/// @throws Error kFailed naming the line of what does not parse, the column that is missing, or the line of a
/// path that leads outside where that is not allowed
[[nodiscard]] Manifest read_labels_csv(const std::filesystem::path& file, OutsidePaths outside);

/// The same from the file's text.
[[nodiscard]] Manifest parse_labels_csv(std::string_view text, const std::filesystem::path& file,
                                        OutsidePaths outside);

}  // namespace headstart
