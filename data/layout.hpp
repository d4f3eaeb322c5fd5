// data/layout.hpp: what the folders of a dataset mean: splits, classes, folders around them, and what is
// passed over. One rule for folders on disk and in archives, from names alone; docs/layouts.md tells it to
// people. Invariant: what could be meant in two ways is an error, never a guess.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "data/dataset_tree.hpp"
#include "data/manifest.hpp"
#include "data/split_folders.hpp"

namespace headstart {

/// A folder whose images, at any depth, are of one class.
struct ClassFolder {
  std::string name;  ///< of the class
  Split split = Split::kUnassigned;
  std::span<const TreeEntry> entries;  ///< all that lies below it
};

/// How a tree is read.
struct Layout {
  std::vector<ClassFolder> classes;
  bool has_given_splits = false;
  std::size_t unlabelled = 0;      ///< images that lie in no class folder, where there is none at all
  std::vector<std::string> notes;  ///< how folders were read and what was passed over, one line each
};

/// @param tree  has to outlive the result
/// @param name  of the dataset, for messages
/// @throws Error kUsage, naming the folders and the option that decides, where a folder may be a split or a
/// class; where two are the same split; where a split has no class folders; where --splits names what isn't
/// there
[[nodiscard]] Layout layout_of(const DatasetTree& tree, const SplitFolders& splits, const std::string& name);

/// What is passed over wherever it lies: side files, what operating systems leave, our own output; one line
/// each.
[[nodiscard]] std::vector<std::string> passed_over(const DatasetTree& tree);

/// The folder that holds the classes or splits: a folder that holds one folder and no images is looked
/// through, as long as that one holds folders and no images itself. What else it may hold has no images.
[[nodiscard]] TreeFolder without_wrappers(const TreeFolder& folder);

/// "12 .json, 3 .txt, 1 without suffix": the most frequent kinds first.
[[nodiscard]] std::string count_by_suffix(std::span<const std::string> names);

}  // namespace headstart
