// features/cache/cache_folder.cpp
#include "features/cache/cache_folder.hpp"

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <system_error>
#include <variant>

#include "data/error.hpp"
#include "data/file_bytes.hpp"
#include "features/network/known_networks.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;

/// Names of the folders in `folder`, sorted.
std::vector<std::string> folders_of(const fs::path& folder, std::error_code& error) {
  std::vector<std::string> names;
  error.clear();
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    std::error_code gone;
    if (entry->is_directory(gone)) names.push_back(entry->path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

fs::path default_cache_folder() {
  const auto variable = [](const char* name) {
    const char* const value = std::getenv(name);
    return std::string_view(value == nullptr ? "" : value);
  };
  // The XDG specification says that relative paths are ignored.
  if (const fs::path xdg = variable("XDG_CACHE_HOME"); xdg.is_absolute()) return xdg / "headstart";
  if (const fs::path home = variable("HOME"); !home.empty()) return home / ".cache" / "headstart";
  throw Error{Error::Kind::kUsage, "there is no place for the cache",
              "neither XDG_CACHE_HOME nor HOME is set", "name a folder with --cache"};
}

std::vector<TapFolder> list_taps(const fs::path& root) {
  std::error_code error;
  std::vector<TapFolder> taps;
  const std::vector<std::string> fingerprints = folders_of(root, error);
  if (error && error != std::errc::no_such_file_or_directory) {
    throw Error{Error::Kind::kFailed, "cannot look into the cache",
                printable(root.string() + ": " + error.message()), "name another folder with --cache"};
  }
  for (const std::string& fingerprint : fingerprints) {
    for (const std::string& name : folders_of(root / fingerprint, error)) {
      if (const std::optional<Tap> tap = parse_tap(name))
        taps.push_back({fingerprint, *tap, root / fingerprint / name});
    }
  }
  return taps;
}

std::optional<ExtractorConfiguration> configuration_of(const TapFolder& folder) {
  const auto read =
      read_file(folder.path.parent_path() / "extractor.json", ExtractorConfiguration::kMaxJsonBytes);
  if (std::holds_alternative<Reject>(read)) return std::nullopt;
  const auto& bytes = std::get<std::vector<std::byte>>(read);
  const std::string_view json(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  std::optional<ExtractorConfiguration> configuration = ExtractorConfiguration::parse(json);
  if (configuration && configuration->fingerprint() != folder.fingerprint) return std::nullopt;
  return configuration;
}

}  // namespace headstart
