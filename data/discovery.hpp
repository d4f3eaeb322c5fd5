// data/discovery.hpp: from a DATASET argument to a Manifest, in the three forms that headstart knows.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "data/labels_csv.hpp"
#include "data/manifest.hpp"

namespace headstart {

struct DiscoveryOptions {
  int min_classes = 2;
  CsvPaths csv_paths = CsvPaths::kInside;
};

/// Lists the images of `dataset`:
///  - a folder with one folder per class; every regular file below a class folder (at any depth) is a sample;
///  - a folder whose train/ and validation/ (or val/), optionally test/, each hold one folder per class; a
///    class missing from a split is fine, a class that training lacks is an error;
///  - a .csv file (header naming path or file_name, and label; optionally split and group; paths relative to
///    the file).
/// Hidden files and folders are skipped, symbolic links followed, loops survived. Class names are sorted
/// bytewise, as Keras and torchvision do. Files that are obviously no images (.txt, .csv, .json, Thumbs.db
/// ...) are still samples: they become rejects with a reason when they are decoded.
/// @throws Error kUsage if `dataset` does not exist or is neither; kData if it has no image or fewer than
/// min_classes classes; kFailed naming the row of a .csv that does not parse, or whose path is not allowed
[[nodiscard]] Manifest discover(const std::filesystem::path& dataset, const DiscoveryOptions& options = {});

/// The files of `paths` for predict, in their order: files as they are, folders searched like class folders
/// and sorted bytewise.
/// @throws Error kUsage for a path that does not exist
[[nodiscard]] std::vector<std::filesystem::path> list_images(const std::vector<std::filesystem::path>& paths);

}  // namespace headstart
