// data/labels_csv.hpp: a dataset given as a .csv file: one image a row, its label beside its path.
#pragma once

#include <filesystem>

#include "data/manifest.hpp"

namespace headstart {

/// The manifest of a .csv file whose header names path or file_name, and label; optionally split and group.
/// Whether the images exist is not looked at: one that is missing becomes a row with a reason when it is
/// read.
/// @throws Error kFailed naming the line of what does not parse, or the column that is missing
[[nodiscard]] Manifest read_labels_csv(const std::filesystem::path& file);

}  // namespace headstart
