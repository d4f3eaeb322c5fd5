// data/dataset/tree_level.cpp
#include "data/dataset/tree_level.hpp"

#include <algorithm>

#include "data/error.hpp"

namespace headstart {

using Kind = TreeEntry::Kind;

TreeLevel level_of(const TreeFolder& folder) {
  TreeLevel level;
  for (const TreeFolder& inside : folder.folders()) {
    const auto is_file = [](const TreeEntry& entry) { return entry.kind != Kind::kFolder; };
    const auto entries = inside.entries();
    if (inside.count(Kind::kImage) + inside.count(Kind::kBroken) > 0) {
      level.folders.push_back(inside);
    } else if (std::any_of(entries.begin(), entries.end(), is_file)) {
      level.imageless.push_back(inside);
    } else {
      level.empty.push_back(inside);
    }
  }
  level.images = folder.count_here(Kind::kImage);
  if (folder.count_here(Kind::kBroken) > 0) {
    const std::string prefix = folder.path().empty() ? std::string() : std::string(folder.path()) + '/';
    for (const TreeEntry& entry : folder.entries()) {
      if (entry.kind == Kind::kBroken && entry.path.rfind('/') + 1 == prefix.size())
        level.broken.push_back(entry.path);
    }
  }
  return level;
}

TreeFolder without_wrappers(const TreeFolder& folder) {
  TreeFolder result = folder;
  while (true) {
    const TreeLevel level = level_of(result);
    if (level.images > 0 || !level.broken.empty() || level.folders.size() != 1) return result;
    const TreeLevel inside = level_of(level.folders.front());
    if (inside.images > 0 || inside.folders.empty()) return result;
    result = level.folders.front();
  }
}

std::string shown_folder(const TreeFolder& folder) { return printable(folder.path()) + '/'; }

}  // namespace headstart
