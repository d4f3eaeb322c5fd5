// data/dataset/listed_paths.cpp: see listed_paths.hpp.
#include "data/dataset/listed_paths.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <system_error>
#include <utility>

#include "data/dataset/archive_dataset.hpp"
#include "data/dataset/counted.hpp"
#include "data/error.hpp"
#include "data/file_kind.hpp"
#include "data/text_encoding.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;

bool is_there(const fs::path& file) {
  std::error_code error;  // a name that is too long does not exist
  return fs::exists(file, error);
}

}  // namespace

ListedPaths::ListedPaths(fs::path list, OutsidePaths outside, std::string encoding)
    : list_(std::move(list)), folder_(list_, outside), encoding_(std::move(encoding)) {}

ListedPaths::Place ListedPaths::find(const std::string& written, std::size_t line) {
  const std::vector<std::string> names = spellings(written);
  const bool has_suffix = is_image_suffix(suffix_of(written));
  const Place as_written{written, folder_.locate(written, line)};
  if (names.size() == 1 && has_suffix) return as_written;

  const bool has_backslash = written.find('\\') != std::string::npos;
  for (const std::string& name : names) {
    Place place{name, folder_.locate(name, line)};
    if (!is_there(place.file)) continue;
    if (has_backslash && name.find('\\') == std::string::npos) remember(Oddity::kBackslash, written, line);
    return place;
  }
  for (const std::string& name : names) {
    if (has_suffix) break;
    const fs::path stem = folder_.locate(name, line);
    const std::vector<std::string>& images = images_called(stem);
    if (images.size() > 1) remember(Oddity::kManyFiles, written, line);
    if (images.size() != 1) continue;
    remember(Oddity::kSuffix, written, line);
    const std::string suffix = images.front().substr(stem.filename().string().size());
    return {name + suffix, stem.parent_path() / images.front()};
  }
  if (has_backslash) remember(Oddity::kMissingBackslash, written, line);
  if (!has_backslash && !has_suffix) remember(Oddity::kMissingSuffix, written, line);
  return as_written;
}

std::vector<std::string> ListedPaths::notes() const {
  std::vector<std::string> lines;
  const std::string list = printable(list_.filename().string());
  for (const auto& [oddity, found] : odd_) {
    const std::string names = fmt::format("{}: {}", list, counted(found.count, "path", "paths"));
    const std::string first = fmt::format("'{}' (line {})", printable(found.name), found.line);
    switch (oddity) {
      case Oddity::kBackslash:
        lines.push_back(fmt::format("{} with \\ read as with /: {} and the like", names, first));
        break;
      case Oddity::kSuffix:
        lines.push_back(fmt::format(
            "{} without a suffix: the one image that is called so is taken: {} and the like", names, first));
        break;
      case Oddity::kManyFiles:
        lines.push_back(fmt::format("{} without a suffix stand for several images each: {}: write the suffix",
                                    names, first));
        break;
      case Oddity::kMissingBackslash:
        lines.push_back(fmt::format("{} with \\ not found, nor with /: {}: write paths relative to the list",
                                    names, first));
        break;
      case Oddity::kMissingSuffix:
        lines.push_back(
            fmt::format("{} without a suffix not found, nor an image that is called so: {}: write "
                        "paths relative to the list",
                        names, first));
        break;
    }
  }
  return lines;
}

void ListedPaths::remember(Oddity oddity, const std::string& name, std::size_t line) {
  Found& found = odd_[oddity];
  if (found.count++ == 0) found = {1, line, name};
}

std::vector<std::string> ListedPaths::spellings(const std::string& written) const {
  std::vector<std::string> names{written};
  if (!encoding_.empty()) {
    std::optional<std::string> decoded = name_to_utf8(written, encoding_);
    if (decoded && *decoded != written) names.push_back(std::move(*decoded));
  }
  for (std::size_t i = 0, end = names.size(); i < end; ++i) {
    std::string name = names[i];
    std::replace(name.begin(), name.end(), '\\', '/');
    if (name != names[i]) names.push_back(std::move(name));
  }
  return names;
}

const std::vector<std::string>& ListedPaths::images_called(const fs::path& stem) {
  const std::string folder = stem.parent_path().string();
  const auto [place, is_new] = folders_.try_emplace(folder);
  if (is_new) {
    std::error_code error;  // a folder that can't be listed has no images
    for (fs::directory_iterator entry(folder.empty() ? "." : folder, error), end; !error && entry != end;
         entry.increment(error)) {
      const std::string name = entry->path().filename().string();
      if (is_image_suffix(suffix_of(name))) place->second[entry->path().stem().string()].push_back(name);
    }
  }
  return place->second[stem.filename().string()];
}

}  // namespace headstart
