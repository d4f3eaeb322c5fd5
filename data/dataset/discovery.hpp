// data/dataset/discovery.hpp: from a DATASET argument to a Manifest, for all forms of datasets that headstart
// knows.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "data/dataset/dataset_folder.hpp"
#include "data/dataset/manifest.hpp"
#include "data/dataset/split_folders.hpp"

namespace headstart {

/// What a dataset must have, and what it may name.
struct DiscoveryOptions {
  int min_classes = 2;
  OutsidePaths outside_paths = OutsidePaths::kRefused;  ///< of a .csv file or a list of archives
  std::string encoding = {};  ///< of class names that are not UTF-8; empty: none may be
  SplitFolders splits = {};   ///< of a folder or archives
};

/// Lists the images of `dataset`, which is one of:
///  - a folder of class folders, or of splits that each hold class folders, by the rule of docs/layouts.md.
///    Every image below a class folder (at any depth) is a sample. A class may be missing from a split, but
///    not from training: that is an error;
///  - a .csv or .tsv file by the rules of docs/lists.md;
///  - archives (docs/archives.md): one .tar (plain or compressed) or .zip; a .txt or .list file that names
///    one archive a line; a pattern such as shards-{000..009}.tar; or a folder that holds nothing else.
///    Labels follow WebDataset's convention, or are folders inside by the same rule.
/// Symbolic links are followed; loops do no harm. Class names are sorted bytewise, as in Keras and
/// torchvision. The first notes say what was found.
/// @throws Error kUsage if `dataset` does not exist, is none of these, or can be read in two ways; kData if
/// it has no image or fewer than min_classes classes; kFailed naming a class that is not UTF-8, the line of
/// a .csv that does not parse, or the line of a refused path
[[nodiscard]] Manifest discover(const std::filesystem::path& dataset, const DiscoveryOptions& options = {});

/// The images of `paths` for predict, in their order. Folders are searched like class folders and sorted
/// bytewise. Archives, also those of a folder that holds nothing else, are listed in the archive's order.
/// Files that a class folder would skip are skipped here, too.
/// @param notes  gets the skipped files and folders, one line each
/// @throws Error kUsage for a path that does not exist
[[nodiscard]] std::vector<ImageSource> list_images(const std::vector<std::filesystem::path>& paths,
                                                   std::vector<std::string>* notes = nullptr);

}  // namespace headstart
