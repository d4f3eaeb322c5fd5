// data/discovery.cpp: tells the three forms of a dataset apart and reads the two that are folders.
#include "data/discovery.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <string_view>
#include <utility>

#include "data/error.hpp"
#include "data/image_folder.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kForms =
    "pass a folder with one folder per class, a folder with train/ and validation/, or a .csv file";

/// A folder that holds one folder per class.
struct ClassFolders {
  fs::path folder;
  std::string prefix;  ///< of the samples' paths: "", or "train/" and the like
  Split split = Split::kUnassigned;
};

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string counted(std::size_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

/// The folders of classes that a dataset folder consists of: itself, or one per split.
std::vector<ClassFolders> class_folders(const fs::path& dataset, const FolderEntries& entries,
                                        std::vector<std::string>& notes) {
  static constexpr std::array<std::pair<std::string_view, Split>, 4> kSplitFolders = {{
      {"train", Split::kTrain},
      {"validation", Split::kValidation},
      {"val", Split::kValidation},
      {"test", Split::kTest},
  }};
  const auto is_split_folder = [](const std::string& name) {
    return std::any_of(kSplitFolders.begin(), kSplitFolders.end(),
                       [&](const auto& known) { return known.first == name; });
  };
  const bool has_train = contains(entries.folders, "train");
  const bool has_validation = contains(entries.folders, "validation");
  const bool has_val = contains(entries.folders, "val");
  if (has_train && has_validation && has_val) {
    throw Error(Error::Kind::kUsage, "the dataset has both validation/ and val/", dataset.string(),
                "keep one of them");
  }
  if (has_train && !has_validation && !has_val) {
    if (std::all_of(entries.folders.begin(), entries.folders.end(), is_split_folder)) {
      throw Error(Error::Kind::kUsage, "the dataset has train/ but neither validation/ nor val/",
                  dataset.string(),
                  "add one, or pass the train folder itself to have a validation split drawn");
    }
  }
  if (!has_train || (!has_validation && !has_val)) return {{dataset, "", Split::kUnassigned}};

  std::vector<ClassFolders> folders;
  for (const auto& [name, split] : kSplitFolders) {
    if (contains(entries.folders, name)) folders.push_back({dataset / name, std::string(name) + '/', split});
  }
  for (const std::string& name : entries.folders) {
    if (!is_split_folder(name))
      notes.push_back(fmt::format("folder {} is skipped: it is no split", printable(name)));
  }
  return folders;
}

/// Samples with their class by name, until all names are known.
using NamedSamples = std::vector<std::pair<std::string, Sample>>;

void add_class(const ClassFolders& parent, const std::string& name, NamedSamples& samples,
               std::vector<std::string>& notes) {
  const FolderTree tree = list_tree(parent.folder / name);
  const std::string prefix = parent.prefix + name + '/';
  for (const std::string& file : tree.files) {
    samples.push_back({name, Sample{prefix + file, parent.folder / name / file, 0, parent.split, {}}});
  }
  const std::string where = printable(prefix);
  if (tree.files.empty()) notes.push_back(fmt::format("class folder {} has no images", where));
  if (tree.others > 0) {
    notes.push_back(fmt::format("{}: {} skipped: neither file nor folder", where,
                                counted(tree.others, "entry is", "entries are")));
  }
  if (tree.loops > 0) {
    notes.push_back(fmt::format("{}: {} not followed: back to a folder that holds it", where,
                                counted(tree.loops, "link is", "links are")));
  }
}

Manifest read_class_folders(const fs::path& dataset) {
  Manifest manifest;
  manifest.root = dataset;
  std::set<std::string> classes;
  NamedSamples samples;
  for (const ClassFolders& parent : class_folders(dataset, list_folder(dataset), manifest.notes)) {
    const FolderEntries entries = list_folder(parent.folder);
    if (!entries.files.empty()) {
      manifest.notes.push_back(fmt::format("{} beside the class folders skipped{}",
                                           counted(entries.files.size(), "file is", "files are"),
                                           parent.prefix.empty() ? "" : " in " + parent.prefix));
    }
    for (const std::string& name : entries.folders) {
      classes.insert(name);
      add_class(parent, name, samples, manifest.notes);
    }
    manifest.has_given_splits = parent.split != Split::kUnassigned;
  }
  manifest.classes.assign(classes.begin(), classes.end());
  std::sort(samples.begin(), samples.end(),
            [](const auto& a, const auto& b) { return a.second.path < b.second.path; });
  for (auto& [name, sample] : samples) {
    const auto place = std::lower_bound(manifest.classes.begin(), manifest.classes.end(), name);
    sample.label = static_cast<Label>(place - manifest.classes.begin());
    manifest.samples.push_back(std::move(sample));
  }
  return manifest;
}

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
    if (is_trained[static_cast<std::size_t>(sample.label)]) continue;
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
  if (std::cmp_less(present.size(), min_classes)) {
    throw Error(Error::Kind::kData,
                fmt::format("the dataset has images of {}, needed are {}",
                            counted(present.size(), "class", "classes"), min_classes),
                dataset.string(), std::string(kForms));
  }
}

bool is_csv(const fs::path& file) {
  std::string extension = file.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return extension == ".csv";
}

}  // namespace

Manifest discover(const fs::path& dataset, const DiscoveryOptions& options) {
  std::error_code error;
  const fs::file_status status = fs::status(dataset, error);
  if (!fs::exists(status)) {
    throw Error(Error::Kind::kUsage, "cannot find the dataset", dataset.string(), std::string(kForms));
  }
  const bool is_folder = fs::is_directory(status);
  if (!is_folder && !is_csv(dataset)) {
    throw Error(Error::Kind::kUsage, "the dataset is neither a folder nor a .csv file", dataset.string(),
                std::string(kForms));
  }
  Manifest manifest = is_folder ? read_class_folders(dataset) : read_labels_csv(dataset, options.csv_paths);
  check_counts(manifest, dataset, options.min_classes);
  check_classes_are_trained(manifest, dataset);
  return manifest;
}

std::vector<fs::path> list_images(const std::vector<fs::path>& paths) {
  std::vector<fs::path> images;
  for (const fs::path& path : paths) {
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (!fs::exists(status)) {
      throw Error(Error::Kind::kUsage, "cannot find the image", path.string(),
                  "pass files or folders that exist");
    }
    if (!fs::is_directory(status)) {
      images.push_back(path);
      continue;
    }
    for (const std::string& file : list_tree(path).files) images.push_back(path / file);
  }
  return images;
}

}  // namespace headstart
