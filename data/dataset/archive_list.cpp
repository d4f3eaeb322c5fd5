// data/dataset/archive_list.cpp: see archive_list.hpp.
#include "data/dataset/archive_list.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <variant>

#include "data/dataset/name_list.hpp"
#include "data/error.hpp"
#include "data/file_bytes.hpp"
#include "data/file_kind.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxArchives = 1'000'000;
constexpr std::uint64_t kMaxListBytes = std::uint64_t{1} << 28;

/// "{FIRST..LAST}" within a pattern.
struct NumberBraces {
  std::size_t begin = 0;  // of "{"
  std::size_t end = 0;    // behind "}"
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::size_t width = 0;  // of the first number, if it is padded; else 0
};

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<NumberBraces> find_number_braces(std::string_view pattern) {
  for (std::size_t begin = pattern.find('{'); begin != std::string_view::npos;
       begin = pattern.find('{', begin + 1)) {
    const std::size_t close = pattern.find('}', begin);
    if (close == std::string_view::npos) break;
    const std::string_view inside = pattern.substr(begin + 1, close - begin - 1);
    const std::size_t dots = inside.find("..");
    if (dots == std::string_view::npos) continue;
    const std::string_view from = inside.substr(0, dots);
    const auto first = number(from);
    const auto last = number(inside.substr(dots + 2));
    if (!first || !last || *last < *first) continue;
    return NumberBraces{begin, close + 1, *first, *last, from.starts_with('0') ? from.size() : 0};
  }
  return std::nullopt;
}

void expand(std::string_view pattern, const std::string& before, std::vector<std::string>& names) {
  const auto braces = find_number_braces(pattern);
  if (!braces) {
    names.push_back(before + std::string(pattern));
    return;
  }
  for (std::uint64_t i = 0; i <= braces->last - braces->first; ++i) {
    if (names.size() >= kMaxArchives) {
      throw Error(Error::Kind::kUsage, "the pattern stands for too many archives",
                  before + std::string(pattern), fmt::format("name at most {}", kMaxArchives));
    }
    expand(pattern.substr(braces->end),
           before + std::string(pattern.substr(0, braces->begin)) +
               fmt::format("{:0{}}", braces->first + i, braces->width),
           names);
  }
}

void require(const fs::path& file, const std::string& where) {
  std::error_code error;
  if (fs::exists(file, error)) return;
  throw Error(Error::Kind::kUsage, "cannot find an archive of the dataset", where,
              "name archives that exist");
}

}  // namespace

std::vector<std::string> expand_braces(std::string_view pattern) {
  std::vector<std::string> names;
  expand(pattern, "", names);
  return names;
}

bool has_number_braces(std::string_view pattern) { return find_number_braces(pattern).has_value(); }

bool is_archive_name(std::string_view name) {
  static constexpr std::array<std::string_view, 10> kEndings = {
      ".tar", ".tar.gz", ".tgz", ".tar.zst", ".tzst", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".zip"};
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return std::any_of(kEndings.begin(), kEndings.end(),
                     [&](std::string_view ending) { return lower.ends_with(ending); });
}

std::vector<NamedArchive> archives_in(const fs::path& folder) {
  std::vector<NamedArchive> archives;
  std::error_code error;
  fs::directory_iterator position(folder, error);
  for (; !error && position != fs::directory_iterator(); position.increment(error)) {
    std::string name = position->path().filename().string();
    if (is_clutter(name)) continue;
    std::error_code dangling;
    if (!is_archive_name(name) || position->status(dangling).type() == fs::file_type::directory) return {};
    archives.push_back({std::move(name), position->path()});
  }
  std::sort(archives.begin(), archives.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return archives;
}

std::vector<NamedArchive> read_archive_list(const fs::path& file, OutsidePaths outside) {
  const auto content = read_file(file, kMaxListBytes);
  if (const auto* reject = std::get_if<Reject>(&content)) {
    throw Error(Error::Kind::kFailed, "cannot read the list of archives",
                file.string() + " " + reject->reason, "pass a text file that names one archive a line");
  }
  const auto& bytes = std::get<std::vector<std::byte>>(content);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const DatasetFolder folder(file, outside);
  std::vector<NamedArchive> shards;
  for (const ListedName& listed : names_in_list(text, file.string())) {
    if (listed.name.starts_with('#')) continue;
    for (std::string& expanded : expand_braces(listed.name)) {
      fs::path place = folder.locate(expanded, listed.line);
      if (std::error_code error; !fs::exists(place, error) && expanded.find('\\') != std::string::npos) {
        std::replace(expanded.begin(), expanded.end(), '\\', '/');  // a list from Windows
        place = folder.locate(expanded, listed.line);
      }
      require(place, fmt::format("{}, line {}: {}", file.string(), listed.line, printable(expanded)));
      shards.push_back({std::move(expanded), std::move(place)});
    }
  }
  return shards;
}

std::vector<NamedArchive> expand_archive_pattern(const fs::path& pattern) {
  std::vector<NamedArchive> shards;
  for (const std::string& name : expand_braces(pattern.string())) {
    require(name, printable(name));
    // Rows are relative to the pattern's folder, unless that is a pattern too.
    const bool varies = has_number_braces(pattern.parent_path().string());
    shards.push_back({varies ? name : fs::path(name).filename().string(), name});
  }
  return shards;
}

}  // namespace headstart
