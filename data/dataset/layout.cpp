// data/dataset/layout.cpp: see layout.hpp. This code uses the words of docs/layouts.md.
#include "data/dataset/layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "data/dataset/counted.hpp"
#include "data/dataset/passed_over.hpp"
#include "data/dataset/split_candidates.hpp"
#include "data/error.hpp"

namespace headstart {
namespace {

using Kind = TreeEntry::Kind;
/// A folder of class folders.
struct SplitFolder {
  Split split;
  TreeFolder folder;
  TreeFolder inner;  ///< the folder that holds the class folders
};

/// The splits of `candidates`, which are all splits, in their order.
std::vector<SplitFolder> splits_of(const SplitCandidates& candidates) {
  std::vector<SplitFolder> splits;
  for (const SplitCandidate& candidate : candidates)
    splits.push_back({*candidate.word, candidate.folder, candidate.inner});
  return splits;
}

class Reading {
 public:
  Reading(const DatasetTree& tree, const SplitFolders& choice, const std::string& name)
      : tree_(tree),
        root_(tree),
        top_(without_wrappers(root_)),
        level_(level_of(top_)),
        choice_(choice),
        name_(name) {}

  Layout read() {
    if (choice_.kind != SplitFolders::Kind::kGiven) check_folder_links(level_, name_);
    note_wrappers();
    const std::vector<SplitFolder> splits = choice_.kind == SplitFolders::Kind::kGiven ? given_splits()
                                            : choice_.kind == SplitFolders::Kind::kAuto
                                                ? splits_by_name()
                                                : std::vector<SplitFolder>{};
    if (splits.empty()) {
      add_classes(top_, level_, Split::kUnassigned);
    } else {
      add_splits(splits);
    }
    for (std::string& line : passed_over(tree_)) note(std::move(line));
    return std::move(layout_);
  }

 private:
  void note(std::string line) { layout_.notes.push_back(std::move(line)); }

  void note_wrappers() {
    if (!top_.path().empty()) note(fmt::format("the folders lie in {}", shown_folder(top_)));
    for (TreeFolder folder = root_; folder.path() != top_.path();) {
      const TreeLevel level = level_of(folder);
      pass_over_imageless(level);
      for (const TreeFolder& empty : level.empty)
        note(fmt::format("passed over: {}: is empty", shown_folder(empty)));
      folder = level.folders.front();
    }
  }

  void pass_over_imageless(const TreeLevel& level) {
    for (const TreeFolder& folder : level.imageless) {
      if (folder.count(Kind::kSideFile) + folder.count(Kind::kOther) + folder.count(Kind::kLoop) > 0)
        note(fmt::format("passed over: {}: holds no images", shown_folder(folder)));
    }
  }

  /// Notes a folder that is not read; the notes come behind those of the folders that are read.
  void pass_over(const TreeFolder& folder, std::string_view why) {
    unused_.push_back(fmt::format("passed over: {}: {}: {}", shown_folder(folder),
                                  counted(folder.count(Kind::kImage), "image", "images"), why));
  }

  /// The folder of that path, below the wrappers or from the top.
  [[nodiscard]] std::optional<TreeFolder> find(const std::string& path) const {
    for (TreeFolder folder : {top_, root_}) {
      std::string_view rest = path;
      while (!rest.empty()) {
        const std::string_view part = rest.substr(0, rest.find('/'));
        rest.remove_prefix(std::min(rest.size(), part.size() + 1));
        const std::vector<TreeFolder> inside = folder.folders();
        const auto found =
            std::find_if(inside.begin(), inside.end(), [&](const auto& f) { return f.name() == part; });
        if (found == inside.end()) break;
        folder = *found;
        if (rest.empty()) return folder;
      }
    }
    return std::nullopt;
  }

  /// Throws if an image would be in two of `splits`, or twice in one.
  void check_apart(const std::vector<SplitFolder>& splits) const {
    for (std::size_t i = 0; i < splits.size(); ++i) {
      for (std::size_t j = 0; j < splits.size(); ++j) {
        const TreeFolder& one = splits[i].folder;
        const TreeFolder& other = splits[j].folder;
        if (i < j && one.path() == other.path()) {
          throw Error(Error::Kind::kUsage, "a split folder is named twice",
                      fmt::format("--splits: {}: {}", name_, shown_folder(one)), "name each folder once");
        }
        if (one.path().starts_with(std::string(other.path()) + '/')) {
          throw Error(Error::Kind::kUsage, "a split folder lies below another one",
                      fmt::format("--splits: {}: {} below {}", name_, shown_folder(one), shown_folder(other)),
                      "name folders that lie beside each other");
        }
      }
    }
  }

  std::vector<SplitFolder> given_splits() {
    SplitCandidates candidates;
    for (const auto& [split, path] : choice_.folders) {
      const std::optional<TreeFolder> folder = find(path);
      if (!folder) {
        const bool is_link = std::any_of(level_.broken.begin(), level_.broken.end(),
                                         [&wanted = path](const std::string& link) {
                                           return link == wanted || link.ends_with('/' + wanted);
                                         });
        if (is_link) check_folder_links(level_, name_);
        throw Error(
            Error::Kind::kUsage, "cannot find the split folder",
            fmt::format("--splits: {}: {}", name_, printable(path)),
            fmt::format("name folders of the dataset: {}", listed_names(top_.folders(), shown_folder)));
      }
      SplitCandidate& candidate = candidates.emplace_back(*folder);
      candidate.word = split;
      if (!candidate.holds_folders()) {
        throw Error(Error::Kind::kUsage, "the split folder holds no class folders",
                    fmt::format("--splits: {}: {}", name_, candidate.described()),
                    "name a folder with one folder per class");
      }
    }
    tell_wrappers_from_classes(candidates);
    std::vector<SplitFolder> splits = splits_of(candidates);
    check_apart(splits);
    for (const std::string& link : level_.broken)
      unused_.push_back(fmt::format("passed over: {}: a link that leads nowhere", printable(link)));
    const bool only_training = std::all_of(splits.begin(), splits.end(),
                                           [](const auto& split) { return split.split == Split::kTrain; });
    if (only_training) {
      for (SplitFolder& split : splits) split.split = Split::kUnassigned;
    }
    for (const TreeFolder& folder : level_.folders) {
      const auto is_used = [&](const SplitFolder& split) {
        const std::string path = std::string(split.folder.path()) + '/';
        return path.starts_with(std::string(folder.path()) + '/');
      };
      if (std::none_of(splits.begin(), splits.end(), is_used)) pass_over(folder, "--splits does not name it");
    }
    return splits;
  }

  /// The splits by name; none if the folders are classes.
  std::vector<SplitFolder> splits_by_name() {
    SplitCandidates candidates(level_.folders.begin(), level_.folders.end());
    tell_wrappers_from_classes(candidates);
    const FolderHolders holders = holders_of(candidates);
    SplitCandidates splits;
    SplitCandidates flat;  // named like splits, but without class folders
    for (const SplitCandidate& candidate : candidates) {
      if (candidate.word) (is_split(candidate, holders) ? splits : flat).push_back(candidate);
    }
    if (splits.empty()) {
      check_class_folders(candidates, name_);
      return {};
    }
    for (const SplitCandidate& candidate : candidates) {
      if (candidate.word) check_folder_links(candidate.level, name_);
    }
    check_splits(splits, flat, candidates);
    std::vector<SplitFolder> result = splits_of(splits);
    std::stable_sort(result.begin(), result.end(),
                     [](const SplitFolder& a, const SplitFolder& b) { return a.split < b.split; });
    for (const SplitCandidate& candidate : candidates) {
      if (candidate.word) continue;
      pass_over(candidate.folder, "is no split by its name; --splits reads it");
    }
    for (const SplitCandidate& candidate : flat) {
      const std::string why = candidate.holds_folders()
                                  ? fmt::format("no other split has a class called {}",
                                                printable(*candidate.inside_names.begin()))
                                  : "it has no class folders";
      pass_over(candidate.folder, why + ", so they have no labels");
    }
    return result;
  }

  /// Whether a candidate is a split. A test folder with one folder that is no class elsewhere ("test/images")
  /// is not: its images have no labels.
  static bool is_split(const SplitCandidate& candidate, const FolderHolders& holders) {
    if (candidate.word != Split::kTest || candidate.inside_names.size() != 1)
      return candidate.holds_folders();
    return holders.at(*candidate.inside_names.begin()) > 1;
  }

  void check_splits(const SplitCandidates& splits, const SplitCandidates& flat,
                    const SplitCandidates& all) const {
    const auto are = [](const SplitCandidates& some, Split split) {
      return count_candidates(some, [&](const auto& c) { return c.word == split; });
    };
    for (const Split split : {Split::kTrain, Split::kValidation, Split::kTest}) {
      if (are(splits, split) > 1)
        refuse_ambiguous(fmt::format("two folders are the {} split", to_string(split)), all, name_);
    }
    const bool needs_flat = are(flat, Split::kTrain) > 0 ||
                            (are(flat, Split::kValidation) > 0 && are(splits, Split::kValidation) == 0);
    if (needs_flat) refuse_ambiguous("a split folder holds no class folders", all, name_);
    if (splits.size() == 1 && !(are(splits, Split::kTrain) == 1 && are(flat, Split::kTest) > 0))
      refuse_ambiguous("a folder may be a split or a class", all, name_);
  }

  void add_splits(const std::vector<SplitFolder>& splits) {
    std::vector<std::string> parts;
    bool has_validation = false;
    for (const auto& [split, folder, inner] : splits) {
      has_validation = has_validation || split == Split::kValidation;
      layout_.has_given_splits = layout_.has_given_splits || split != Split::kUnassigned;
      parts.push_back(fmt::format("{} is {}", shown_folder(inner),
                                  split == Split::kUnassigned ? "all that is read" : to_string(split)));
    }
    const bool draws = std::any_of(splits.begin(), splits.end(),
                                   [](const auto& split) { return split.split == Split::kTrain; }) &&
                       !has_validation;
    note(fmt::format("split folders: {}{}", fmt::join(parts, ", "),
                     draws ? "; there is none for validation, which training draws from train" : ""));
    for (std::string& line : unused_) note(std::move(line));
    if (level_.images > 0)
      note(
          fmt::format("passed over: {} beside the split folders", counted(level_.images, "image", "images")));
    pass_over_imageless(level_);
    for (const auto& [split, folder, inner] : splits) add_classes(inner, level_of(inner), split);
  }

  void add_classes(const TreeFolder& folder, const TreeLevel& level, Split split) {
    check_folder_links(level, name_);
    pass_over_imageless(level);
    if (level.folders.empty()) {
      layout_.unlabelled += level.images;
    } else if (level.images > 0) {
      note(fmt::format("passed over: {} beside the class folders{}", counted(level.images, "image", "images"),
                       folder.path().empty() ? "" : " in " + shown_folder(folder)));
    }
    for (const TreeFolder& of_class : level.folders) add_class(of_class, split);
    for (const TreeFolder& of_class : level.empty) {
      add_class(of_class, split);
      note(fmt::format("class folder {} has no images", shown_folder(of_class)));
    }
  }

  void add_class(const TreeFolder& folder, Split split) {
    layout_.classes.push_back({std::string(folder.name()), split, folder.entries()});
  }

  const DatasetTree& tree_;
  TreeFolder root_;
  TreeFolder top_;
  TreeLevel level_;
  const SplitFolders& choice_;
  const std::string& name_;
  std::vector<std::string> unused_;
  Layout layout_;
};

}  // namespace

Layout layout_of(const DatasetTree& tree, const SplitFolders& splits, const std::string& name) {
  return Reading(tree, splits, name).read();
}

}  // namespace headstart
