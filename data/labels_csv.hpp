// data/labels_csv.hpp: a dataset given as a .csv file: one image a row, its label beside its path.
#pragma once

#include <filesystem>
#include <string_view>

#include "data/manifest.hpp"

namespace headstart {

/// Which files the rows of a .csv file may name.
enum class CsvPaths {
  kInside,    ///< those below the folder of the .csv file
  kAnywhere,  ///< any: --allow-outside
};

/// The manifest of a .csv file whose header names path or file_name, and label; optionally split and group.
/// Whether the images exist is not looked at: one that is missing becomes a row with a reason when it is
/// read. A path is inside if it has no part '..' and is relative, or absolute and below the file's folder.
/// Links below that folder are followed, as they are in a dataset of folders: whoever made the folder made
/// them, whoever wrote the .csv did not.
/// @throws Error kFailed naming the line of what does not parse, the column that is missing, or the line of a
/// path that `paths` does not allow
[[nodiscard]] Manifest read_labels_csv(const std::filesystem::path& file, CsvPaths paths);

/// The same from the file's text.
[[nodiscard]] Manifest parse_labels_csv(std::string_view text, const std::filesystem::path& file,
                                        CsvPaths paths);

}  // namespace headstart
