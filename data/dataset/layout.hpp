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

}  // namespace headstart
