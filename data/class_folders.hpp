// data/class_folders.hpp: a dataset whose folders say what is what: one folder per class, at the top or in
// one folder per split. The same rules for folders on disk and for those inside an archive.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "data/image_folder.hpp"
#include "data/image_source.hpp"
#include "data/manifest.hpp"

namespace headstart {

/// Folders wherever they are. Paths are relative, '/' between parts; "" is the top.
struct FolderView {
  std::string name;    ///< for messages, as the user typed it
  std::string prefix;  ///< of the samples' paths
  std::function<FolderEntries(const std::string& folder)> list;
  std::function<FolderTree(const std::string& folder)> tree;
  std::function<ImageSource(const std::string& file)> source;
};

/// A folder on disk.
[[nodiscard]] FolderView view_of_folder(const std::filesystem::path& folder);

/// Samples with their class by name, until all names are known.
struct NamedSamples {
  std::set<std::string> classes;                        ///< those without samples too; never ""
  std::vector<std::pair<std::string, Sample>> samples;  ///< "": kNoLabel
  bool has_given_splits = false;
  std::vector<std::string> notes;
};

/// Adds what `view` holds.
/// @throws Error kUsage for split folders that contradict each other
void add_class_folders(const FolderView& view, NamedSamples& named);

/// kNumeric: all classes are whole numbers that fit 64 bits.
enum class ClassOrder { kBytewise, kNumeric };

/// Classes in their order, samples sorted by path, bytewise.
[[nodiscard]] Manifest manifest_of(NamedSamples named, ClassOrder order = ClassOrder::kBytewise);

}  // namespace headstart
