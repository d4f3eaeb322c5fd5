// data/archive_dataset.hpp: a dataset that lies in archives, with its labels in WebDataset's convention or in
// the names of its folders.
#pragma once

#include <filesystem>
#include <vector>

#include "data/archive_list.hpp"
#include "data/image_source.hpp"
#include "data/manifest.hpp"

namespace headstart {

/// Lists all `archives`. If an image among them has a .cls or .json with a label beside it, all are
/// WebDataset: images are those members whose name behind the first dot is an image's extension, one without
/// a label has a problem, and images of one sample form a group; classes that are all whole numbers are
/// sorted as such. Otherwise the folders inside say what is what (data/class_folders.hpp), below one common
/// top folder or not. Where members may be missing a sample without a label, named like the archive, says so.
/// @param dataset  for messages
/// @throws Error kUsage for split folders that contradict each other; kFailed if there is one archive, and
///         nothing in it can be read
[[nodiscard]] Manifest read_archives(const std::vector<NamedArchive>& archives,
                                     const std::filesystem::path& dataset);

/// The images of one archive to predict, as they lie: members with an image's extension. Where others may be
/// missing, a source with that problem.
[[nodiscard]] std::vector<ImageSource> images_in_archive(const std::filesystem::path& file);

/// Whether a name ends with an image's extension, whether headstart reads that format or not.
[[nodiscard]] bool has_image_extension(std::string_view name);

}  // namespace headstart
