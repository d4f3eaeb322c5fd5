// data/dataset/split_candidates.hpp: folders that may be splits or classes, and the errors where the one
// can't be told from the other. This code uses the words of docs/layouts.md.
#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "data/dataset/manifest.hpp"
#include "data/dataset/split_folders.hpp"
#include "data/dataset/tree_level.hpp"

namespace headstart {

using FolderNames = std::set<std::string_view>;

/// A folder that may be a split or a class.
struct SplitCandidate {
  explicit SplitCandidate(const TreeFolder& of);

  /// A folder inside that is named like one of `classes`, and holds none of them, is that class and not a
  /// wrapper.
  void tell_wrappers_from(const FolderNames& classes);

  /// Whether it holds folders of images, as a split does.
  [[nodiscard]] bool holds_folders() const { return !level.folders.empty(); }
  /// For messages.
  [[nodiscard]] std::string described() const;

  TreeFolder folder;
  std::optional<Split> word;  ///< the split that its name, or --splits, says
  TreeFolder inner;           ///< the folder that holds the class folders
  TreeLevel level;            ///< of inner
  FolderNames inside_names;

 private:
  void look_inside();
};

using SplitCandidates = std::vector<SplitCandidate>;

/// A split with one class looks like a wrapper. Other splits with several classes tell them apart.
void tell_wrappers_from_classes(SplitCandidates& candidates);

/// How many of `candidates` hold a folder of that name.
using FolderHolders = std::map<std::string_view, std::size_t>;

[[nodiscard]] FolderHolders holders_of(const SplitCandidates& candidates);

/// The number of `candidates` for which `wanted` is true.
template <typename Wanted>
[[nodiscard]] std::size_t count_candidates(const SplitCandidates& candidates, const Wanted& wanted) {
  return static_cast<std::size_t>(std::count_if(candidates.begin(), candidates.end(), wanted));
}

/// Throws if a link that leads nowhere lies in the place of a class or split folder: its images would be
/// missing.
void check_folder_links(const TreeLevel& level, const std::string& name);

/// Throws if the folders may be no classes, although none is a split by its name and content.
void check_class_folders(const SplitCandidates& candidates, const std::string& name);

/// Throws `what` with the option that decides.
[[noreturn]] void refuse_ambiguous(std::string_view what, const SplitCandidates& candidates,
                                   const std::string& name);

}  // namespace headstart
