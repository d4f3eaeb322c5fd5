// tests/support/opened_files.hpp: which files are opened, as the kernel tells it (inotify).
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace headstart::test {

/// Collects the names of files that anybody opens in some folders.
class OpenedFiles {
 public:
  /// @throws std::runtime_error if a folder cannot be watched
  explicit OpenedFiles(const std::vector<std::filesystem::path>& folders);
  OpenedFiles(const OpenedFiles&) = delete;
  OpenedFiles& operator=(const OpenedFiles&) = delete;
  ~OpenedFiles();

  /// Those that were opened since the last call. Listing a folder does not count.
  [[nodiscard]] std::set<std::string> names() const;
  /// How often each was. One that several threads open at the same time may count once.
  [[nodiscard]] std::map<std::string, int> times() const;

 private:
  int descriptor_;
};

}  // namespace headstart::test
