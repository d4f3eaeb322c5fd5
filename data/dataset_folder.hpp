// data/dataset_folder.hpp: the folder of a file that lists a dataset (a .csv of labels, a list of archives),
// which is all that such a file may name: whoever sends one could otherwise have any file read.
// Surprise: links below the folder are followed, as in a dataset of folders: whoever made the folder made
// them, whoever wrote the file did not.
#pragma once

#include <cstddef>
#include <filesystem>
#include <vector>

namespace headstart {

/// Paths that lead out of the folder of the file that names them.
enum class OutsidePaths {
  kRefused,
  kAllowed,  ///< --allow-outside
};

/// The folder of a file that names others: a .csv of labels, a list of archives.
class DatasetFolder {
 public:
  /// Of `file`; the folder need not exist.
  DatasetFolder(std::filesystem::path file, OutsidePaths outside);

  /// Where `path` lies, which line `line` of the file names: relative to the folder, or absolute.
  /// @throws Error kFailed naming the line, if that may be outside: the path has a part '..', or is absolute
  /// and not below the folder
  [[nodiscard]] std::filesystem::path locate(const std::filesystem::path& path, std::size_t line) const;

 private:
  [[nodiscard]] bool holds(const std::filesystem::path& path) const;

  std::filesystem::path file_;
  OutsidePaths outside_;
  std::vector<std::filesystem::path> names_;  // as given and with its links resolved, both absolute
};

}  // namespace headstart
