// data/dataset/layout.cpp: see layout.hpp. This code uses the words of docs/layouts.md.
#include "data/dataset/layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "data/dataset/counted.hpp"
#include "data/error.hpp"
#include "data/file_kind.hpp"

namespace headstart {
namespace {

using Kind = TreeEntry::Kind;
using Names = std::set<std::string_view>;

constexpr std::size_t kMostFoldersNamed = 8;
constexpr std::size_t kMostKindsNamed = 6;

/// The direct content of a folder.
struct Level {
  std::vector<TreeFolder> folders;    ///< with images below
  std::vector<TreeFolder> empty;      ///< without any file
  std::vector<TreeFolder> imageless;  ///< with files, but without images
  std::size_t images = 0;
  std::vector<std::string> broken;  ///< links that lead nowhere; they may have been folders
};

Level level_of(const TreeFolder& folder) {
  Level level;
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

std::string shown(const TreeFolder& folder) { return printable(folder.path()) + '/'; }

/// "a/, b/, c/ and 12 more".
template <typename Items, typename Text>
std::string listed(const Items& items, const Text& text) {
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

/// A folder that may be a split or a class.
struct Candidate {
  explicit Candidate(const TreeFolder& of)
      : folder(of), word(well_known_split(of.name())), inner(without_wrappers(of)) {
    look_inside();
  }

  /// A folder inside that is named like one of `classes`, and holds none of them, is that class and not a
  /// wrapper.
  void tell_wrappers_from(const Names& classes) {
    const auto is_class = [&](const TreeFolder& inside) { return classes.contains(inside.name()); };
    for (TreeFolder at = folder; at.path() != inner.path();) {
      const TreeFolder next = level_of(at).folders.front();
      const Level below = level_of(next);
      if (is_class(next) && std::none_of(below.folders.begin(), below.folders.end(), is_class)) {
        inner = at;
        look_inside();
        return;
      }
      at = next;
    }
  }

  /// Whether it holds folders of images, as a split does.
  [[nodiscard]] bool holds_folders() const { return !level.folders.empty(); }
  [[nodiscard]] std::string described() const {
    if (!holds_folders())
      return fmt::format("{} ({}, no class folders)", shown(folder),
                         counted(level.images, "image", "images"));
    return fmt::format("{} (with {})", shown(folder),
                       listed(inside_names, [](std::string_view name) { return printable(name) + '/'; }));
  }

  TreeFolder folder;
  std::optional<Split> word;  ///< the split that its name, or --splits, says
  TreeFolder inner;           ///< the folder that holds the class folders
  Level level;                ///< of inner
  Names inside_names;

 private:
  void look_inside() {
    level = level_of(inner);
    inside_names.clear();
    for (const TreeFolder& inside : level.folders) inside_names.insert(inside.name());
  }
};

using Candidates = std::vector<Candidate>;

/// A split with one class looks like a wrapper. Other splits with several classes tell them apart.
void tell_wrappers_from_classes(Candidates& candidates) {
  Names classes;
  for (const Candidate& candidate : candidates) {
    if (candidate.word && candidate.inside_names.size() > 1)
      classes.insert(candidate.inside_names.begin(), candidate.inside_names.end());
  }
  for (Candidate& candidate : candidates) {
    if (candidate.word) candidate.tell_wrappers_from(classes);
  }
}

/// A folder of class folders.
struct SplitFolder {
  Split split;
  TreeFolder folder;
  TreeFolder inner;  ///< the folder that holds the class folders
};

/// The splits of `candidates`, which are all splits, in their order.
std::vector<SplitFolder> splits_of(const Candidates& candidates) {
  std::vector<SplitFolder> splits;
  for (const Candidate& candidate : candidates)
    splits.push_back({*candidate.word, candidate.folder, candidate.inner});
  return splits;
}

template <typename Wanted>
std::size_t count_where(const Candidates& candidates, const Wanted& wanted) {
  return static_cast<std::size_t>(std::count_if(candidates.begin(), candidates.end(), wanted));
}

/// Throws if a link that leads nowhere lies in the place of a class or split folder: its images would be
/// missing.
void check_links(const Level& level, const std::string& name) {
  if (level.broken.empty()) return;
  throw Error(Error::Kind::kData, "a link leads nowhere, where a class or split folder may be",
              fmt::format("{}: {}", name,
                          listed(level.broken, [](const std::string& path) { return printable(path); })),
              "mount what it leads to, or remove the link");
}

/// "train=seg_train,test=seg_test", as far as names tell. Always has a folder for training, because training
/// needs one.
std::string advised_splits(const Candidates& candidates) {
  std::multimap<Split, std::string> parts;
  for (const Candidate& candidate : candidates) {
    const auto split = likely_split(candidate.folder.name());
    if (split && candidate.holds_folders())
      parts.emplace(*split, fmt::format("{}={}", to_string(*split), printable(candidate.folder.path())));
  }
  if (parts.empty()) return "train=FOLDER,validation=FOLDER,test=FOLDER";
  if (!parts.contains(Split::kTrain)) parts.emplace(Split::kTrain, "train=FOLDER");
  std::string advice;
  for (const auto& [split, part] : parts) advice += (advice.empty() ? "" : ",") + part;
  return advice;
}

[[noreturn]] void ambiguous(std::string_view what, const Candidates& candidates, const std::string& name) {
  throw Error(
      Error::Kind::kUsage, what,
      fmt::format("{}: {}", name, listed(candidates, [](const auto& c) { return c.described(); })),
      fmt::format("say which folders are splits, such as --splits {}, or --splits none if each is a class",
                  advised_splits(candidates)));
}

/// How many of `candidates` hold a folder of that name.
using Holders = std::map<std::string_view, std::size_t>;

Holders holders_of(const Candidates& candidates) {
  Holders holders;
  for (const Candidate& candidate : candidates) {
    for (const std::string_view name : candidate.inside_names) ++holders[name];
  }
  return holders;
}

/// Whether some folders hold the same folders, as splits hold the same classes. At least half of one folder's
/// folders must also be in another one. A single name that all share ("images") does not count.
bool hold_the_same(const Candidates& candidates) {
  const Holders holders = holders_of(candidates);
  Names names;
  std::size_t alike = 0;
  for (const Candidate& candidate : candidates) {
    const auto& inside = candidate.inside_names;
    const auto shared =
        std::count_if(inside.begin(), inside.end(), [&](auto name) { return holders.at(name) > 1; });
    if (shared == 0 || std::cmp_less(2 * shared, inside.size())) continue;
    names.insert(inside.begin(), inside.end());
    ++alike;
  }
  return alike > 1 && names.size() > 1;
}

/// Whether a folder holds folders with the names of its neighbours.
bool repeats_its_siblings(const Candidate& candidate, const Names& siblings) {
  const auto& inside = candidate.inside_names;
  const auto shared = std::count_if(inside.begin(), inside.end(), [&](auto name) {
    return name != candidate.folder.name() && siblings.contains(name);
  });
  return shared > 0 && std::cmp_greater_equal(2 * shared, inside.size());
}

bool holds_splits(const Candidate& candidate) {
  std::set<Split> splits;
  for (const std::string_view name : candidate.inside_names) {
    if (const auto split = well_known_split(name)) splits.insert(*split);
  }
  return splits.contains(Split::kTrain) && splits.size() > 1;
}

/// Throws if the folders may be no classes, although none is a split by its name and content.
void check_classes(const Candidates& candidates, const std::string& name) {
  std::set<Split> words;
  for (const Candidate& candidate : candidates) {
    if (candidate.word) words.insert(*candidate.word);
  }
  const bool all_words =
      count_where(candidates, [](const auto& c) { return c.word.has_value(); }) == candidates.size();
  if (words.size() > 1 && (all_words || words.contains(Split::kTrain))) {
    for (const Candidate& candidate : candidates) check_links(candidate.level, name);
    throw Error(Error::Kind::kUsage, "the split folders hold no class folders",
                fmt::format("{}: {}", name, listed(candidates, [](const auto& c) { return c.described(); })),
                "sort the images into one folder per class, or pass a .csv with path, label and split; or "
                "--splits none if each folder is a class");
  }
  const auto below = std::find_if(candidates.begin(), candidates.end(), holds_splits);
  if (below != candidates.end()) {
    throw Error(
        Error::Kind::kUsage, "split folders lie below other folders",
        fmt::format("{}: {}", name, below->described()),
        "move the splits above the class folders, or pass the folder that holds them, or a .csv with path, "
        "label and split; or --splits none: all images below are of one class");
  }
  Names siblings;
  for (const Candidate& candidate : candidates) siblings.insert(candidate.folder.name());
  const bool repeats = std::any_of(candidates.begin(), candidates.end(),
                                   [&](const auto& c) { return repeats_its_siblings(c, siblings); });
  if (repeats || hold_the_same(candidates))
    ambiguous("the folders may be splits or classes", candidates, name);
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
    if (choice_.kind != SplitFolders::Kind::kGiven) check_links(level_, name_);
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
    if (!top_.path().empty()) note(fmt::format("the folders lie in {}", shown(top_)));
    for (TreeFolder folder = root_; folder.path() != top_.path();) {
      const Level level = level_of(folder);
      pass_over_imageless(level);
      for (const TreeFolder& empty : level.empty)
        note(fmt::format("passed over: {}: is empty", shown(empty)));
      folder = level.folders.front();
    }
  }

  void pass_over_imageless(const Level& level) {
    for (const TreeFolder& folder : level.imageless) {
      if (folder.count(Kind::kSideFile) + folder.count(Kind::kOther) + folder.count(Kind::kLoop) > 0)
        note(fmt::format("passed over: {}: holds no images", shown(folder)));
    }
  }

  /// Notes a folder that is not read; the notes come behind those of the folders that are read.
  void pass_over(const TreeFolder& folder, std::string_view why) {
    unused_.push_back(fmt::format("passed over: {}: {}: {}", shown(folder),
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
                      fmt::format("--splits: {}: {}", name_, shown(one)), "name each folder once");
        }
        if (one.path().starts_with(std::string(other.path()) + '/')) {
          throw Error(Error::Kind::kUsage, "a split folder lies below another one",
                      fmt::format("--splits: {}: {} below {}", name_, shown(one), shown(other)),
                      "name folders that lie beside each other");
        }
      }
    }
  }

  std::vector<SplitFolder> given_splits() {
    Candidates candidates;
    for (const auto& [split, path] : choice_.folders) {
      const std::optional<TreeFolder> folder = find(path);
      if (!folder) {
        const bool is_link = std::any_of(level_.broken.begin(), level_.broken.end(),
                                         [&wanted = path](const std::string& link) {
                                           return link == wanted || link.ends_with('/' + wanted);
                                         });
        if (is_link) check_links(level_, name_);
        throw Error(Error::Kind::kUsage, "cannot find the split folder",
                    fmt::format("--splits: {}: {}", name_, printable(path)),
                    fmt::format("name folders of the dataset: {}", listed(top_.folders(), shown)));
      }
      Candidate& candidate = candidates.emplace_back(*folder);
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
    Candidates candidates(level_.folders.begin(), level_.folders.end());
    tell_wrappers_from_classes(candidates);
    const Holders holders = holders_of(candidates);
    Candidates splits;
    Candidates flat;  // named like splits, but without class folders
    for (const Candidate& candidate : candidates) {
      if (candidate.word) (is_split(candidate, holders) ? splits : flat).push_back(candidate);
    }
    if (splits.empty()) {
      check_classes(candidates, name_);
      return {};
    }
    for (const Candidate& candidate : candidates) {
      if (candidate.word) check_links(candidate.level, name_);
    }
    check_splits(splits, flat, candidates);
    std::vector<SplitFolder> result = splits_of(splits);
    std::stable_sort(result.begin(), result.end(),
                     [](const SplitFolder& a, const SplitFolder& b) { return a.split < b.split; });
    for (const Candidate& candidate : candidates) {
      if (candidate.word) continue;
      pass_over(candidate.folder, "is no split by its name; --splits reads it");
    }
    for (const Candidate& candidate : flat) {
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
  static bool is_split(const Candidate& candidate, const Holders& holders) {
    if (candidate.word != Split::kTest || candidate.inside_names.size() != 1)
      return candidate.holds_folders();
    return holders.at(*candidate.inside_names.begin()) > 1;
  }

  void check_splits(const Candidates& splits, const Candidates& flat, const Candidates& all) const {
    const auto are = [](const Candidates& some, Split split) {
      return count_where(some, [&](const auto& c) { return c.word == split; });
    };
    for (const Split split : {Split::kTrain, Split::kValidation, Split::kTest}) {
      if (are(splits, split) > 1)
        ambiguous(fmt::format("two folders are the {} split", to_string(split)), all, name_);
    }
    const bool needs_flat = are(flat, Split::kTrain) > 0 ||
                            (are(flat, Split::kValidation) > 0 && are(splits, Split::kValidation) == 0);
    if (needs_flat) ambiguous("a split folder holds no class folders", all, name_);
    if (splits.size() == 1 && !(are(splits, Split::kTrain) == 1 && are(flat, Split::kTest) > 0))
      ambiguous("a folder may be a split or a class", all, name_);
  }

  void add_splits(const std::vector<SplitFolder>& splits) {
    std::vector<std::string> parts;
    bool has_validation = false;
    for (const auto& [split, folder, inner] : splits) {
      has_validation = has_validation || split == Split::kValidation;
      layout_.has_given_splits = layout_.has_given_splits || split != Split::kUnassigned;
      parts.push_back(fmt::format("{} is {}", shown(inner),
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

  void add_classes(const TreeFolder& folder, const Level& level, Split split) {
    check_links(level, name_);
    pass_over_imageless(level);
    if (level.folders.empty()) {
      layout_.unlabelled += level.images;
    } else if (level.images > 0) {
      note(fmt::format("passed over: {} beside the class folders{}", counted(level.images, "image", "images"),
                       folder.path().empty() ? "" : " in " + shown(folder)));
    }
    for (const TreeFolder& of_class : level.folders) add_class(of_class, split);
    for (const TreeFolder& of_class : level.empty) {
      add_class(of_class, split);
      note(fmt::format("class folder {} has no images", shown(of_class)));
    }
  }

  void add_class(const TreeFolder& folder, Split split) {
    layout_.classes.push_back({std::string(folder.name()), split, folder.entries()});
  }

  const DatasetTree& tree_;
  TreeFolder root_;
  TreeFolder top_;
  Level level_;
  const SplitFolders& choice_;
  const std::string& name_;
  std::vector<std::string> unused_;
  Layout layout_;
};

}  // namespace

std::vector<std::string> passed_over(const DatasetTree& tree) {
  std::vector<std::string> notes;
  const auto note = [&](std::string line) { notes.push_back(std::move(line)); };
  std::vector<std::string> side_files;
  std::map<std::string, std::size_t> clutter;
  std::vector<std::string> own;
  std::vector<std::string> others;
  std::vector<std::string> loops;
  for (const TreeEntry& entry : tree.entries()) {
    const std::string_view name = std::string_view(entry.path).substr(entry.path.rfind('/') + 1);
    if (entry.kind == Kind::kSideFile) side_files.emplace_back(name);
    if (entry.kind == Kind::kClutter) ++clutter[name.starts_with('.') ? "hidden" : printable(name)];
    if (entry.kind == Kind::kOwn) own.push_back(entry.path);
    if (entry.kind == Kind::kOther) others.push_back(printable(entry.path));
    if (entry.kind == Kind::kLoop) loops.push_back(printable(entry.path));
  }
  if (!side_files.empty()) note(fmt::format("passed over: {}: no images", count_by_suffix(side_files)));
  if (!clutter.empty()) {
    note(fmt::format("passed over: {}", listed(clutter, [](const auto& kind) {
                       return fmt::format("{} {}", kind.second, kind.first);
                     })));
  }
  if (!own.empty()) {
    note(fmt::format("passed over: {}: headstart's own output",
                     listed(own, [](const std::string& path) { return printable(path) + '/'; })));
  }
  const auto as_it_is = [](const std::string& path) { return path; };
  if (!others.empty())
    note(fmt::format("passed over: {}: neither file nor folder", listed(others, as_it_is)));
  if (!loops.empty())
    note(fmt::format("passed over: {}: links to a folder that holds them", listed(loops, as_it_is)));
  return notes;
}

TreeFolder without_wrappers(const TreeFolder& folder) {
  TreeFolder result = folder;
  while (true) {
    const Level level = level_of(result);
    if (level.images > 0 || !level.broken.empty() || level.folders.size() != 1) return result;
    const Level inside = level_of(level.folders.front());
    if (inside.images > 0 || inside.folders.empty()) return result;
    result = level.folders.front();
  }
}

Layout layout_of(const DatasetTree& tree, const SplitFolders& splits, const std::string& name) {
  return Reading(tree, splits, name).read();
}

std::string count_by_suffix(std::span<const std::string> names) {
  std::map<std::string, std::size_t> counts;
  for (const std::string& name : names) {
    const std::string suffix = suffix_of(name);
    ++counts[suffix.empty() ? "without suffix" : '.' + printable(suffix)];
  }
  std::vector<std::pair<std::string, std::size_t>> kinds(counts.begin(), counts.end());
  std::stable_sort(kinds.begin(), kinds.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  std::string text;
  std::size_t rest = 0;
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    if (i < kMostKindsNamed)
      text += fmt::format("{}{} {}", i == 0 ? "" : ", ", kinds[i].second, kinds[i].first);
    else
      rest += kinds[i].second;
  }
  return rest == 0 ? text : fmt::format("{}, {}", text, counted(rest, "other file", "other files"));
}

}  // namespace headstart
