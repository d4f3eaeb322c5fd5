// data/dataset/archive_dataset.hpp: a dataset that lies in archives. Its labels follow WebDataset's
// convention, or are the names of the folders in the archives.
#pragma once

#include <filesystem>
#include <vector>

#include "data/archive/archive_listing.hpp"
#include "data/archive/image_source.hpp"
#include "data/dataset/archive_list.hpp"
#include "data/dataset/manifest.hpp"
#include "data/dataset/split_folders.hpp"

namespace headstart {

/// Lists all `archives`. If any image has a .cls or .json with a label beside it, all archives are
/// WebDataset. Images are then the members whose name behind the first dot is an image's extension. An image
/// without a label has a problem, and the images of one sample form a group. Classes are sorted as numbers if
/// all of them are whole numbers. Otherwise the folders inside decide (data/dataset/layout.hpp), and the
/// folders of all archives count together. Wrapper folders of each archive are skipped first. Several
/// archives that are named like splits ("train-00.tar", "val-00.tar") are these splits. Where members may be
/// missing, a sample without a label, named like the archive, says so.
/// @param dataset  for messages
/// @throws Error kUsage as layout_of(), and if --splits is given for WebDataset; kFailed if there is only one
/// archive and nothing in it can be read
[[nodiscard]] Manifest read_archives(const std::vector<NamedArchive>& archives,
                                     const std::filesystem::path& dataset, const SplitFolders& splits = {});

/// The images of one archive to predict, in the archive's order. Where images may be missing, the list has a
/// source with that problem.
[[nodiscard]] std::vector<ImageSource> images_in(const ArchiveListing& listing);

}  // namespace headstart
