// data/discovery.hpp: from a DATASET argument to a Manifest, in the forms that headstart knows.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "data/dataset_folder.hpp"
#include "data/manifest.hpp"

namespace headstart {

/// What a dataset has to have, and what it may name.
struct DiscoveryOptions {
  int min_classes = 2;
  OutsidePaths outside_paths = OutsidePaths::kRefused;  ///< of a .csv file or a list of archives
  std::string encoding = {};  ///< of class names that are not UTF-8; empty: none may be
};

/// Lists the images of `dataset`:
///  - a folder with one folder per class; every regular file below a class folder (at any depth) is a sample;
///  - a folder whose train/ and validation/ (or val/), optionally test/, each hold one folder per class; a
///    class missing from a split is fine, a class that training lacks is an error;
///  - a .csv or .tsv file by the rules of docs/lists.md;
///  - archives (docs/archives.md): one .tar (plain or compressed) or .zip, a .txt or .list file that names
///  one a
///    line, a pattern such as shards-{000..009}.tar, or a folder that holds nothing else. Labels are in
///    WebDataset's convention, or folders inside as above.
/// Hidden files and folders are skipped, symbolic links followed, loops survived. Class names are sorted
/// bytewise, as Keras and torchvision do. Files that are obviously no images (.txt, .csv, .json, Thumbs.db
/// ...) are still samples: they become rejects with a reason when they are decoded.
/// @throws Error kUsage if `dataset` does not exist or is none of these; kData if it has no image or fewer
/// than min_classes classes; kFailed naming a class that is not UTF-8, the row of a .csv that does not parse,
/// or the line of a .csv or list whose path is not allowed
[[nodiscard]] Manifest discover(const std::filesystem::path& dataset, const DiscoveryOptions& options = {});

/// The images of `paths` for predict, in their order: files as they are, folders searched like class folders
/// and sorted bytewise, members of archives (also those of a folder that holds nothing else) with an image's
/// extension as they lie.
/// @throws Error kUsage for a path that does not exist
[[nodiscard]] std::vector<ImageSource> list_images(const std::vector<std::filesystem::path>& paths);

}  // namespace headstart
