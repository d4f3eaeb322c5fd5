// data/dataset/discovery.cpp: finds the form of a dataset, reads it, and checks the result.
#include "data/dataset/discovery.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "data/archive/archive.hpp"
#include "data/dataset/archive_dataset.hpp"
#include "data/dataset/archive_list.hpp"
#include "data/dataset/class_folders.hpp"
#include "data/dataset/class_names.hpp"
#include "data/dataset/counted.hpp"
#include "data/dataset/dataset_tree.hpp"
#include "data/dataset/labels_csv.hpp"
#include "data/dataset/layout.hpp"
#include "data/dataset/passed_over.hpp"
#include "data/error.hpp"
#include "data/file_kind.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kForms =
    "pass a folder with one folder per class, a folder with train/ and validation/, a .csv or .tsv file, or "
    "archives "
    "(.tar, .tar.gz, .tar.zst, .zip) with such folders, or with a .cls or .json beside each image";

/// Throws if a class of another split has no training images. A dataset without any training images (to
/// evaluate on) is not checked.
void check_classes_are_trained(const Manifest& manifest, const fs::path& dataset) {
  std::vector<bool> is_trained(manifest.classes.size());
  bool any = false;
  for (const Sample& sample : manifest.samples) {
    if (sample.split != Split::kTrain || sample.label == kNoLabel) continue;
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

/// The dataset's name and its notes, for an error that says what is missing.
std::string with_notes(const Manifest& manifest, const fs::path& dataset) {
  std::string text = dataset.string();
  if (manifest.unlabelled > 0)
    text += fmt::format(": {} in no class folder", counted(manifest.unlabelled, "image lies", "images lie"));
  for (std::size_t i = 0; i < manifest.notes.size(); ++i)
    text += fmt::format("{} {}", i == 0 && manifest.unlabelled == 0 ? ":" : ";", manifest.notes[i]);
  return text;
}

void check_counts(const Manifest& manifest, const fs::path& dataset, int min_classes) {
  if (manifest.samples.empty()) {
    throw Error(
        Error::Kind::kData,
        manifest.unlabelled > 0 ? "the images of the dataset have no labels" : "the dataset has no images",
        with_notes(manifest, dataset), std::string(kForms));
  }
  std::set<Label> present;
  for (const Sample& sample : manifest.samples) present.insert(sample.label);
  present.erase(kNoLabel);
  if (std::cmp_less(present.size(), min_classes)) {
    throw Error(Error::Kind::kData,
                fmt::format("the dataset has images of {}, needed are {}",
                            counted(present.size(), "class", "classes"), min_classes),
                with_notes(manifest, dataset), std::string(kForms));
  }
}

/// "393 images of 10 classes: train 300, validation 93".
std::string summary_of(const Manifest& manifest, const fs::path& dataset) {
  std::map<Split, std::size_t> splits;
  for (const Sample& sample : manifest.samples) ++splits[sample.split];
  std::vector<std::string> parts;
  for (const auto& [split, images] : splits) {
    if (split != Split::kUnassigned) parts.push_back(fmt::format("{} {}", to_string(split), images));
  }
  return fmt::format("{}: {} of {}: {}", printable(dataset.string()),
                     counted(manifest.samples.size(), "image", "images"),
                     counted(manifest.classes.size(), "class", "classes"),
                     parts.empty() ? "no splits" : fmt::format("{}", fmt::join(parts, ", ")));
}

std::string extension_of(const fs::path& file) {
  std::string extension = file.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return extension;
}

Manifest read_folder(const fs::path& dataset, const SplitFolders& splits) {
  if (const std::vector<NamedArchive> archives = archives_in(dataset); !archives.empty()) {
    Manifest manifest = read_archives(archives, dataset, splits);
    manifest.root = dataset;
    return manifest;
  }
  const DatasetTree tree = tree_of_folder(dataset);
  NamedSamples named;
  add_layout(
      layout_of(tree, splits, printable(dataset.string())),
      [&](const TreeEntry& image) {
        return Sample{image.path, ImageSource{dataset / image.path}, 0, Split::kUnassigned, {}};
      },
      named);
  Manifest manifest = manifest_of(std::move(named));
  manifest.root = dataset;
  return manifest;
}

Manifest read_dataset(const fs::path& dataset, const DiscoveryOptions& options) {
  std::error_code error;
  const fs::file_status status = fs::status(dataset, error);
  if (!fs::exists(status)) {
    if (has_number_braces(dataset.string()))
      return read_archives(expand_archive_pattern(dataset), dataset, options.splits);
    throw Error(Error::Kind::kUsage, "cannot find the dataset", dataset.string(), std::string(kForms));
  }
  if (fs::is_directory(status)) return read_folder(dataset, options.splits);
  const std::string extension = extension_of(dataset);
  if (extension == ".csv" || extension == ".tsv") {
    if (options.splits.kind == SplitFolders::Kind::kGiven) {
      throw Error(Error::Kind::kUsage, "--splits names folders, and the dataset is a .csv file",
                  dataset.string(), "leave the option out, and give the file a column split");
    }
    return read_labels_csv(dataset, options.outside_paths, options.encoding);
  }
  if (extension == ".txt" || extension == ".list")
    return read_archives(read_archive_list(dataset, options.outside_paths), dataset, options.splits);
  if (is_archive_name(dataset.filename().string()) || is_archive(dataset))
    return read_archives({{dataset.filename().string(), dataset}}, dataset, options.splits);
  throw Error(Error::Kind::kUsage, "the dataset is neither a folder, a .csv file nor an archive",
              dataset.string(), std::string(kForms));
}

}  // namespace

Manifest discover(const fs::path& dataset, const DiscoveryOptions& options) {
  Manifest manifest = read_dataset(dataset, options);
  decode_classes(manifest, options.encoding, dataset.string());
  check_counts(manifest, dataset, options.min_classes);
  check_classes_are_trained(manifest, dataset);
  manifest.notes.insert(manifest.notes.begin(), summary_of(manifest, dataset));
  return manifest;
}

std::vector<ImageSource> list_images(const std::vector<fs::path>& paths, std::vector<std::string>* notes) {
  std::vector<ImageSource> images;
  const auto note = [&](const fs::path& path, const DatasetTree& tree) {
    if (notes == nullptr) return;
    for (const std::string& line : passed_over(tree))
      notes->push_back(fmt::format("{}: {}", printable(path.string()), line));
  };
  const auto add_archive = [&](const fs::path& archive) {
    const ArchiveListing listing = list_archive(archive);
    note(archive, tree_of_archive(listing));
    for (ImageSource& image : images_in(listing)) images.push_back(std::move(image));
  };
  const auto add_folder = [&](const fs::path& folder) {
    const DatasetTree tree = tree_of_folder(folder);
    note(folder, tree);
    std::vector<std::string> files;
    for (const TreeEntry& entry : tree.entries()) {
      if (is_read_as_image(entry.kind)) files.push_back(entry.path);
    }
    std::sort(files.begin(), files.end());
    for (const std::string& file : files) images.push_back({folder / file});
  };
  for (const fs::path& path : paths) {
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (!fs::exists(status)) {
      throw Error(Error::Kind::kUsage, "cannot find the image", path.string(),
                  "pass files or folders that exist");
    }
    if (fs::is_directory(status)) {
      const std::vector<NamedArchive> archives = archives_in(path);
      for (const NamedArchive& archive : archives) add_archive(archive.file);
      if (archives.empty()) add_folder(path);
    } else if (kind_by_name(path.string()) != FileKind::kImage && is_archive(path)) {
      add_archive(path);
    } else {
      images.push_back({path});
    }
  }
  return images;
}

}  // namespace headstart
