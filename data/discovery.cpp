// data/discovery.cpp: tells the forms of a dataset apart, and checks what was found.
#include "data/discovery.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "data/archive.hpp"
#include "data/archive_dataset.hpp"
#include "data/archive_list.hpp"
#include "data/class_folders.hpp"
#include "data/class_names.hpp"
#include "data/counted.hpp"
#include "data/error.hpp"
#include "data/image_folder.hpp"
#include "data/labels_csv.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kForms =
    "pass a folder with one folder per class, a folder with train/ and validation/, a .csv or .tsv file, or "
    "archives "
    "(.tar, .tar.gz, .tar.zst, .zip) with such folders, or with a .cls or .json beside each image";

/// What can be learned must be in training; a set without any training images (one to evaluate on) is left
/// alone.
void check_classes_are_trained(const Manifest& manifest, const fs::path& dataset) {
  std::vector<bool> is_trained(manifest.classes.size());
  bool any = false;
  for (const Sample& sample : manifest.samples) {
    if (sample.split != Split::kTrain) continue;
    is_trained[static_cast<std::size_t>(sample.label)] = any = true;
  }
  if (!any) return;
  for (const Sample& sample : manifest.samples) {
    if (sample.label == kNoLabel || is_trained[static_cast<std::size_t>(sample.label)]) continue;
    throw Error(
        Error::Kind::kData,
        fmt::format("class '{}' has {} images but no training images",
                    manifest.classes[static_cast<std::size_t>(sample.label)], to_string(sample.split)),
        dataset.string(), "add training images of it, or take the class out");
  }
}

void check_counts(const Manifest& manifest, const fs::path& dataset, int min_classes) {
  if (manifest.samples.empty()) {
    throw Error(Error::Kind::kData, "the dataset has no images", dataset.string(), std::string(kForms));
  }
  std::set<Label> present;
  for (const Sample& sample : manifest.samples) present.insert(sample.label);
  present.erase(kNoLabel);
  if (std::cmp_less(present.size(), min_classes)) {
    throw Error(Error::Kind::kData,
                fmt::format("the dataset has images of {}, needed are {}",
                            counted(present.size(), "class", "classes"), min_classes),
                dataset.string(), std::string(kForms));
  }
}

std::string extension_of(const fs::path& file) {
  std::string extension = file.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return extension;
}

Manifest read_folder(const fs::path& dataset) {
  if (const FolderEntries entries = list_folder(dataset); holds_only_archives(entries)) {
    std::vector<NamedArchive> shards;
    for (const std::string& name : entries.files) shards.push_back({name, dataset / name});
    Manifest manifest = read_archives(shards, dataset);
    manifest.root = dataset;
    return manifest;
  }
  NamedSamples named;
  add_class_folders(view_of_folder(dataset), named);
  Manifest manifest = manifest_of(std::move(named));
  manifest.root = dataset;
  return manifest;
}

Manifest read_dataset(const fs::path& dataset, const DiscoveryOptions& options) {
  std::error_code error;
  const fs::file_status status = fs::status(dataset, error);
  if (!fs::exists(status)) {
    if (has_number_braces(dataset.string())) return read_archives(expand_archive_pattern(dataset), dataset);
    throw Error(Error::Kind::kUsage, "cannot find the dataset", dataset.string(), std::string(kForms));
  }
  if (fs::is_directory(status)) return read_folder(dataset);
  const std::string extension = extension_of(dataset);
  if (extension == ".csv" || extension == ".tsv")
    return read_labels_csv(dataset, options.outside_paths, options.encoding);
  if (extension == ".txt" || extension == ".list")
    return read_archives(read_archive_list(dataset, options.outside_paths), dataset);
  if (is_archive_name(dataset.filename().string()) || is_archive(dataset))
    return read_archives({{dataset.filename().string(), dataset}}, dataset);
  throw Error(Error::Kind::kUsage, "the dataset is neither a folder, a .csv file nor an archive",
              dataset.string(), std::string(kForms));
}

}  // namespace

Manifest discover(const fs::path& dataset, const DiscoveryOptions& options) {
  Manifest manifest = read_dataset(dataset, options);
  decode_classes(manifest, options.encoding, dataset.string());
  check_counts(manifest, dataset, options.min_classes);
  check_classes_are_trained(manifest, dataset);
  return manifest;
}

std::vector<ImageSource> list_images(const std::vector<fs::path>& paths) {
  std::vector<ImageSource> images;
  const auto add_archive = [&images](const fs::path& archive) {
    for (ImageSource& image : images_in_archive(archive)) images.push_back(std::move(image));
  };
  for (const fs::path& path : paths) {
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (!fs::exists(status)) {
      throw Error(Error::Kind::kUsage, "cannot find the image", path.string(),
                  "pass files or folders that exist");
    }
    if (fs::is_directory(status)) {
      if (const FolderEntries entries = list_folder(path); holds_only_archives(entries)) {
        for (const std::string& archive : entries.files) add_archive(path / archive);
      } else {
        for (const std::string& file : list_tree(path).files) images.push_back({path / file});
      }
    } else if (!has_image_extension(path.string()) && is_archive(path)) {
      add_archive(path);
    } else {
      images.push_back({path});
    }
  }
  return images;
}

}  // namespace headstart
