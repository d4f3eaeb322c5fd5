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

}  // namespace

Candidate::Candidate(const TreeFolder& of)
    : folder(of), word(well_known_split(of.name())), inner(without_wrappers(of)) {
  look_inside();
}

void Candidate::tell_wrappers_from(const Names& classes) {
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

std::string Candidate::described() const {
  if (!holds_folders())
    return fmt::format("{} ({}, no class folders)", shown(folder), counted(level.images, "image", "images"));
  return fmt::format("{} (with {})", shown(folder),
                     listed(inside_names, [](std::string_view name) { return printable(name) + '/'; }));
}

void Candidate::look_inside() {
  level = level_of(inner);
  inside_names.clear();
  for (const TreeFolder& inside : level.folders) inside_names.insert(inside.name());
}

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

Holders holders_of(const Candidates& candidates) {
  Holders holders;
  for (const Candidate& candidate : candidates) {
    for (const std::string_view name : candidate.inside_names) ++holders[name];
  }
  return holders;
}

void check_links(const Level& level, const std::string& name) {
  if (level.broken.empty()) return;
  throw Error(Error::Kind::kData, "a link leads nowhere, where a class or split folder may be",
              fmt::format("{}: {}", name,
                          listed(level.broken, [](const std::string& path) { return printable(path); })),
              "mount what it leads to, or remove the link");
}

void ambiguous(std::string_view what, const Candidates& candidates, const std::string& name) {
  throw Error(
      Error::Kind::kUsage, what,
      fmt::format("{}: {}", name, listed(candidates, [](const auto& c) { return c.described(); })),
      fmt::format("say which folders are splits, such as --splits {}, or --splits none if each is a class",
                  advised_splits(candidates)));
}

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

}  // namespace headstart
