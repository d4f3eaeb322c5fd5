// data/dataset/split_candidates.cpp
#include "data/dataset/split_candidates.hpp"

#include <fmt/format.h>

#include <utility>

#include "data/dataset/counted.hpp"
#include "data/error.hpp"

namespace headstart {
namespace {

/// "train=seg_train,test=seg_test", as far as names tell. Always has a folder for training, because training
/// needs one.
std::string advised_splits(const SplitCandidates& candidates) {
  std::multimap<Split, std::string> parts;
  for (const SplitCandidate& candidate : candidates) {
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

/// Whether some folders hold the same folders, as splits hold the same classes. At least half of one folder's
/// folders must also be in another one. A single name that all share ("images") does not count.
bool hold_the_same(const SplitCandidates& candidates) {
  const FolderHolders holders = holders_of(candidates);
  FolderNames names;
  std::size_t alike = 0;
  for (const SplitCandidate& candidate : candidates) {
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
bool repeats_its_siblings(const SplitCandidate& candidate, const FolderNames& siblings) {
  const auto& inside = candidate.inside_names;
  const auto shared = std::count_if(inside.begin(), inside.end(), [&](auto name) {
    return name != candidate.folder.name() && siblings.contains(name);
  });
  return shared > 0 && std::cmp_greater_equal(2 * shared, inside.size());
}

bool holds_splits(const SplitCandidate& candidate) {
  std::set<Split> splits;
  for (const std::string_view name : candidate.inside_names) {
    if (const auto split = well_known_split(name)) splits.insert(*split);
  }
  return splits.contains(Split::kTrain) && splits.size() > 1;
}

}  // namespace

SplitCandidate::SplitCandidate(const TreeFolder& of)
    : folder(of), word(well_known_split(of.name())), inner(without_wrappers(of)) {
  look_inside();
}

void SplitCandidate::tell_wrappers_from(const FolderNames& classes) {
  const auto is_class = [&](const TreeFolder& inside) { return classes.contains(inside.name()); };
  for (TreeFolder at = folder; at.path() != inner.path();) {
    const TreeFolder next = level_of(at).folders.front();
    const TreeLevel below = level_of(next);
    if (is_class(next) && std::none_of(below.folders.begin(), below.folders.end(), is_class)) {
      inner = at;
      look_inside();
      return;
    }
    at = next;
  }
}

std::string SplitCandidate::described() const {
  if (!holds_folders())
    return fmt::format("{} ({}, no class folders)", shown_folder(folder),
                       counted(level.images, "image", "images"));
  return fmt::format("{} (with {})", shown_folder(folder),
                     listed_names(inside_names, [](std::string_view name) { return printable(name) + '/'; }));
}

void SplitCandidate::look_inside() {
  level = level_of(inner);
  inside_names.clear();
  for (const TreeFolder& inside : level.folders) inside_names.insert(inside.name());
}

void tell_wrappers_from_classes(SplitCandidates& candidates) {
  FolderNames classes;
  for (const SplitCandidate& candidate : candidates) {
    if (candidate.word && candidate.inside_names.size() > 1)
      classes.insert(candidate.inside_names.begin(), candidate.inside_names.end());
  }
  for (SplitCandidate& candidate : candidates) {
    if (candidate.word) candidate.tell_wrappers_from(classes);
  }
}

FolderHolders holders_of(const SplitCandidates& candidates) {
  FolderHolders holders;
  for (const SplitCandidate& candidate : candidates) {
    for (const std::string_view name : candidate.inside_names) ++holders[name];
  }
  return holders;
}

void check_folder_links(const TreeLevel& level, const std::string& name) {
  if (level.broken.empty()) return;
  throw Error(
      Error::Kind::kData, "a link leads nowhere, where a class or split folder may be",
      fmt::format("{}: {}", name,
                  listed_names(level.broken, [](const std::string& path) { return printable(path); })),
      "mount what it leads to, or remove the link");
}

void refuse_ambiguous(std::string_view what, const SplitCandidates& candidates, const std::string& name) {
  throw Error(
      Error::Kind::kUsage, what,
      fmt::format("{}: {}", name, listed_names(candidates, [](const auto& c) { return c.described(); })),
      fmt::format("say which folders are splits, such as --splits {}, or --splits none if each is a class",
                  advised_splits(candidates)));
}

void check_class_folders(const SplitCandidates& candidates, const std::string& name) {
  std::set<Split> words;
  for (const SplitCandidate& candidate : candidates) {
    if (candidate.word) words.insert(*candidate.word);
  }
  const bool all_words =
      count_candidates(candidates, [](const auto& c) { return c.word.has_value(); }) == candidates.size();
  if (words.size() > 1 && (all_words || words.contains(Split::kTrain))) {
    for (const SplitCandidate& candidate : candidates) check_folder_links(candidate.level, name);
    throw Error(
        Error::Kind::kUsage, "the split folders hold no class folders",
        fmt::format("{}: {}", name, listed_names(candidates, [](const auto& c) { return c.described(); })),
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
  FolderNames siblings;
  for (const SplitCandidate& candidate : candidates) siblings.insert(candidate.folder.name());
  const bool repeats = std::any_of(candidates.begin(), candidates.end(),
                                   [&](const auto& c) { return repeats_its_siblings(c, siblings); });
  if (repeats || hold_the_same(candidates))
    refuse_ambiguous("the folders may be splits or classes", candidates, name);
}

}  // namespace headstart
