// data/class_folders.cpp: see class_folders.hpp.
#include "data/class_folders.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <unordered_map>

#include "data/counted.hpp"
#include "data/error.hpp"

namespace headstart {
namespace {

/// A folder that holds one folder per class.
struct ClassFolders {
  std::string folder;  // "", or "train" and the like
  Split split = Split::kUnassigned;
};

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// The folders of classes that a dataset folder consists of: itself, or one per split.
std::vector<ClassFolders> class_folders(const FolderView& view, std::vector<std::string>& notes) {
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
  const FolderEntries entries = view.list("");
  const bool has_train = contains(entries.folders, "train");
  const bool has_validation = contains(entries.folders, "validation");
  const bool has_val = contains(entries.folders, "val");
  if (has_train && has_validation && has_val) {
    throw Error(Error::Kind::kUsage, "the dataset has both validation/ and val/", view.name,
                "keep one of them");
  }
  if (has_train && !has_validation && !has_val) {
    if (std::all_of(entries.folders.begin(), entries.folders.end(), is_split_folder)) {
      throw Error(Error::Kind::kUsage, "the dataset has train/ but neither validation/ nor val/", view.name,
                  "add one, or pass the train folder itself to have a validation split drawn");
    }
  }
  if (!has_train || (!has_validation && !has_val)) return {{"", Split::kUnassigned}};

  std::vector<ClassFolders> folders;
  for (const auto& [name, split] : kSplitFolders) {
    if (contains(entries.folders, name)) folders.push_back({std::string(name), split});
  }
  for (const std::string& name : entries.folders) {
    if (!is_split_folder(name))
      notes.push_back(fmt::format("folder {} is skipped: it is no split", printable(name)));
  }
  return folders;
}

std::string joined(const std::string& folder, const std::string& name) {
  return folder.empty() ? name : folder + '/' + name;
}

void add_class(const FolderView& view, const ClassFolders& parent, const std::string& name,
               NamedSamples& named) {
  const std::string folder = joined(parent.folder, name);
  const FolderTree tree = view.tree(folder);
  for (const std::string& file : tree.files) {
    const std::string path = joined(folder, file);
    named.samples.push_back({name, Sample{view.prefix + path, view.source(path), 0, parent.split, {}}});
  }
  const std::string where = printable(view.prefix + folder + '/');
  if (tree.files.empty()) named.notes.push_back(fmt::format("class folder {} has no images", where));
  if (tree.others > 0) {
    named.notes.push_back(fmt::format("{}: {} skipped: neither file nor folder", where,
                                      counted(tree.others, "entry is", "entries are")));
  }
  if (tree.loops > 0) {
    named.notes.push_back(fmt::format("{}: {} not followed: back to a folder that holds it", where,
                                      counted(tree.loops, "link is", "links are")));
  }
}

}  // namespace

FolderView view_of_folder(const std::filesystem::path& folder) {
  const auto place = [folder](const std::string& path) { return path.empty() ? folder : folder / path; };
  return {folder.string(), "", [place](const std::string& path) { return list_folder(place(path)); },
          [place](const std::string& path) { return list_tree(place(path)); },
          [place](const std::string& path) { return ImageSource{place(path)}; }};
}

void add_class_folders(const FolderView& view, NamedSamples& named) {
  for (const ClassFolders& parent : class_folders(view, named.notes)) {
    const FolderEntries entries = view.list(parent.folder);
    if (!entries.files.empty()) {
      const std::string where = view.prefix + (parent.folder.empty() ? "" : parent.folder + '/');
      named.notes.push_back(fmt::format("{} beside the class folders{}: skipped",
                                        counted(entries.files.size(), "file", "files"),
                                        where.empty() ? "" : " in " + printable(where)));
    }
    for (const std::string& name : entries.folders) {
      named.classes.insert(name);
      add_class(view, parent, name, named);
    }
    named.has_given_splits = parent.split != Split::kUnassigned;
  }
}

Manifest manifest_of(NamedSamples named, ClassOrder order) {
  Manifest manifest;
  manifest.has_given_splits = named.has_given_splits;
  manifest.notes = std::move(named.notes);
  manifest.classes.assign(named.classes.begin(), named.classes.end());
  if (order == ClassOrder::kNumeric) {
    std::sort(manifest.classes.begin(), manifest.classes.end(),
              [](const auto& a, const auto& b) { return std::stoll(a) < std::stoll(b); });
  }
  std::unordered_map<std::string_view, Label> labels{{"", kNoLabel}};
  for (const std::string& name : manifest.classes)
    labels.emplace(name, static_cast<Label>(labels.size()) - 1);
  std::sort(named.samples.begin(), named.samples.end(),
            [](const auto& a, const auto& b) { return a.second.path < b.second.path; });
  manifest.samples.reserve(named.samples.size());
  for (auto& [name, sample] : named.samples) {
    sample.label = labels.at(name);
    manifest.samples.push_back(std::move(sample));
  }
  return manifest;
}

}  // namespace headstart
