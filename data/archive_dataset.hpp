// data/archive_dataset.hpp: a dataset that lies in archives, with its labels in WebDataset's convention or in
// the names of its folders.
#pragma once

#include <filesystem>
#include <vector>

#include "data/archive_list.hpp"
#include "data/archive_listing.hpp"
#include "data/image_source.hpp"
#include "data/manifest.hpp"
#include "data/split_folders.hpp"

namespace headstart {

/// Lists all `archives`. If an image among them has a .cls or .json with a label beside it, all are
/// WebDataset: images are those members whose name behind the first dot is an image's extension, one without
/// a label has a problem, and images of one sample form a group; classes that are all whole numbers are
/// sorted as such. Otherwise the folders inside say what is what (data/layout.hpp), those of all archives
/// together; wrapper folders of each are looked through first. Several archives that are called like splits
/// ("train-00.tar", "val-00.tar") are these splits. Where members may be missing a sample without a label,
/// named like the archive, says so.
/// @param dataset  for messages
/// @throws Error kUsage as layout_of(), and where --splits is given for WebDataset; kFailed if there is one
///         archive, and nothing in it can be read
[[nodiscard]] Manifest read_archives(const std::vector<NamedArchive>& archives,
                                     const std::filesystem::path& dataset, const SplitFolders& splits = {});

/// The images of one archive to predict, as they lie: members that are images. Where others may be missing, a
/// source with that problem.
[[nodiscard]] std::vector<ImageSource> images_in(const ArchiveListing& listing);

}  // namespace headstart
