// data/dataset/layout.hpp: decides what the folders of a dataset mean: splits, classes, wrapper folders, or
// skipped. One rule holds for folders on disk and in archives, and uses names alone; docs/layouts.md explains
// it to people. Invariant: an ambiguous layout is an error, never a guess.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "data/dataset/dataset_tree.hpp"
#include "data/dataset/manifest.hpp"
#include "data/dataset/split_folders.hpp"

namespace headstart {

/// A folder whose images, at any depth, belong to one class.
struct ClassFolder {
  std::string name;  ///< of the class
  Split split = Split::kUnassigned;
  std::span<const TreeEntry> entries;  ///< all entries below the folder
};

/// The meaning of a tree.
struct Layout {
  std::vector<ClassFolder> classes;
  bool has_given_splits = false;
  std::size_t unlabelled = 0;      ///< images without a class folder, if the tree has no class folder at all
  std::vector<std::string> notes;  ///< how folders were read and what was skipped, one line each
};

/// @param tree  has to outlive the result
/// @param name  of the dataset, for messages
/// @throws Error kUsage, naming the folders and the option that decides. Cases: a folder may be a split or a
/// class; two folders are the same split; a split has no class folders; --splits names a folder that isn't
/// there
/// @throws Error kData if a link that leads nowhere lies where a class or split folder may be
[[nodiscard]] Layout layout_of(const DatasetTree& tree, const SplitFolders& splits, const std::string& name);

/// What is skipped in every folder: side files, files that operating systems leave, headstart's own output;
/// one line each.
[[nodiscard]] std::vector<std::string> passed_over(const DatasetTree& tree);

/// The folder that holds the classes or splits. Goes into a folder as long as the folder holds no images and
/// one other folder, and that one holds folders and no images itself. Other content of a wrapper folder has
/// no images.
[[nodiscard]] TreeFolder without_wrappers(const TreeFolder& folder);

/// "12 .json, 3 .txt, 1 without suffix": the most frequent suffixes first.
[[nodiscard]] std::string count_by_suffix(std::span<const std::string> names);

}  // namespace headstart
