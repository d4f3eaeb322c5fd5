// data/dataset/passed_over.cpp
#include "data/dataset/passed_over.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <string_view>
#include <utility>

#include "data/dataset/counted.hpp"
#include "data/dataset/tree_level.hpp"
#include "data/error.hpp"
#include "data/file_kind.hpp"

namespace headstart {
namespace {

using Kind = TreeEntry::Kind;

constexpr std::size_t kMostKindsNamed = 6;

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
    note(fmt::format("passed over: {}", listed_names(clutter, [](const auto& kind) {
                       return fmt::format("{} {}", kind.second, kind.first);
                     })));
  }
  if (!own.empty()) {
    note(fmt::format("passed over: {}: headstart's own output",
                     listed_names(own, [](const std::string& path) { return printable(path) + '/'; })));
  }
  const auto as_it_is = [](const std::string& path) { return path; };
  if (!others.empty())
    note(fmt::format("passed over: {}: neither file nor folder", listed_names(others, as_it_is)));
  if (!loops.empty())
    note(fmt::format("passed over: {}: links to a folder that holds them", listed_names(loops, as_it_is)));
  return notes;
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
