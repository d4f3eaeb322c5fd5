// data/dataset/tree_level.hpp: what lies directly in a folder of a dataset, and how messages name it.
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstddef>
#include <string>
#include <vector>

#include "data/dataset/dataset_tree.hpp"

namespace headstart {

/// The direct content of a folder.
struct TreeLevel {
  std::vector<TreeFolder> folders;    ///< with images below
  std::vector<TreeFolder> empty;      ///< without any file
  std::vector<TreeFolder> imageless;  ///< with files, but without images
  std::size_t images = 0;
  std::vector<std::string> broken;  ///< links that lead nowhere; they may have been folders
};

[[nodiscard]] TreeLevel level_of(const TreeFolder& folder);

/// The folder that holds the classes or splits. Goes into a folder as long as the folder holds no images and
/// one other folder, and that one holds folders and no images itself. Other content of a wrapper folder has
/// no images.
[[nodiscard]] TreeFolder without_wrappers(const TreeFolder& folder);

/// "a/b/", for messages.
[[nodiscard]] std::string shown_folder(const TreeFolder& folder);

/// How many names a message lists.
inline constexpr std::size_t kMostFoldersNamed = 8;

/// "a/, b/, c/ and 12 more".
template <typename Items, typename Text>
std::string listed_names(const Items& items, const Text& text) {
  std::vector<std::string> parts;
  for (const auto& item : items) {
    if (parts.size() == kMostFoldersNamed) {
      parts.back() += fmt::format(" and {} more", items.size() - kMostFoldersNamed);
      break;
    }
    parts.push_back(text(item));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

}  // namespace headstart
