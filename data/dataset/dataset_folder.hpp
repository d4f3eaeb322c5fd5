// data/dataset/dataset_folder.hpp: the folder of a file that lists a dataset (a .csv of labels, a list of
// archives). Such a file may only name files below its folder; otherwise a file from a stranger could make
// headstart read any file. Note: links below the folder are followed, as in a dataset of folders. The owner
// of the folder made these links, not the author of the file.
#pragma once

#include <cstddef>
#include <filesystem>
#include <vector>

namespace headstart {

/// What to do with paths that lead out of the folder of the file that names them.
enum class OutsidePaths {
  kRefused,
  kAllowed,  ///< --allow-outside
};

/// The folder of a file that names others: a .csv of labels, a list of archives.
class DatasetFolder {
 public:
  /// The folder of `file`; it need not exist.
  DatasetFolder(std::filesystem::path file, OutsidePaths outside);

  /// The place of `path`, which line `line` of the file names. `path` is relative to the folder, or absolute.
  /// @throws Error kFailed naming the line, if `path` may lie outside: it has a part '..', or is absolute and
  /// not below the folder
  [[nodiscard]] std::filesystem::path locate(const std::filesystem::path& path, std::size_t line) const;

 private:
  [[nodiscard]] bool holds(const std::filesystem::path& path) const;

  std::filesystem::path file_;
  OutsidePaths outside_;
  std::vector<std::filesystem::path> names_;  // both absolute: as given, and with links resolved
};

}  // namespace headstart
