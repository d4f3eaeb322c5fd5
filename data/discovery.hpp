// data/discovery.hpp: from a DATASET argument to a Manifest, in the forms that headstart knows.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "data/dataset_folder.hpp"
#include "data/manifest.hpp"
#include "data/split_folders.hpp"

namespace headstart {

/// What a dataset has to have, and what it may name.
struct DiscoveryOptions {
  int min_classes = 2;
  OutsidePaths outside_paths = OutsidePaths::kRefused;  ///< of a .csv file or a list of archives
  std::string encoding = {};  ///< of class names that are not UTF-8; empty: none may be
  SplitFolders splits = {};   ///< of a folder or archives
};

/// Lists the images of `dataset`:
///  - a folder of class folders, or of splits that each hold class folders, by the rule of docs/layouts.md;
///    every image below a class folder (at any depth) is a sample; a class missing from a split is fine, a
///    class that training lacks is an error;
///  - a .csv or .tsv file by the rules of docs/lists.md;
///  - archives (docs/archives.md): one .tar (plain or compressed) or .zip, a .txt or .list file that names
///    one a line, a pattern such as shards-{000..009}.tar, or a folder that holds nothing else. Labels are in
///    WebDataset's convention, or folders inside by the same rule.
/// Symbolic links are followed, loops survived. Class names are sorted bytewise, as Keras and torchvision do.
/// The notes begin with what was found.
/// @throws Error kUsage if `dataset` does not exist, is none of these, or can be read in two ways; kData if
/// it has no image or fewer than min_classes classes; kFailed naming a class that is not UTF-8, the row of a
/// .csv that does not parse, or the line of a .csv or list whose path is not allowed
[[nodiscard]] Manifest discover(const std::filesystem::path& dataset, const DiscoveryOptions& options = {});

/// The images of `paths` for predict, in their order: files as they are, those in folders searched like class
/// folders and sorted bytewise, those in archives (also those of a folder that holds nothing else) as they
/// lie. What is passed over in a class folder is passed over here.
/// @param notes  gets what was passed over, one line each
/// @throws Error kUsage for a path that does not exist
[[nodiscard]] std::vector<ImageSource> list_images(const std::vector<std::filesystem::path>& paths,
                                                   std::vector<std::string>* notes = nullptr);

}  // namespace headstart
