// data/dataset/listed_paths.hpp: finds the images of a list whose paths other systems or tools wrote: with
// backslashes, without a suffix, in another encoding.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "data/dataset/dataset_folder.hpp"

namespace headstart {

/// Finds the images of one list.
class ListedPaths {
 public:
  /// @param encoding  of the list; a name is also looked for after conversion to UTF-8; empty: UTF-8
  ListedPaths(std::filesystem::path list, OutsidePaths outside, std::string encoding);

  struct Place {
    std::string path;  ///< as results name it
    std::filesystem::path file;
  };
  /// The image that line `line` calls `written`. A plain path is not checked: reading shows whether the file
  /// exists. Only an odd path is looked for, in this order: as written; in the list's encoding; with '/' for
  /// '\'; with the suffix of the only image of that name.
  /// @throws Error kFailed naming the line, if a path may lead out of the list's folder
  [[nodiscard]] Place find(const std::string& written, std::size_t line);

  /// Paths that were read otherwise than written, and odd paths that were not found, one line each.
  [[nodiscard]] std::vector<std::string> notes() const;

 private:
  enum class Oddity { kBackslash, kSuffix, kManyFiles, kMissingBackslash, kMissingSuffix };
  struct Found {
    std::size_t count = 0;
    std::size_t line = 0;  // the first line
    std::string name;
  };

  void remember(Oddity oddity, const std::string& name, std::size_t line);
  [[nodiscard]] std::vector<std::string> spellings(const std::string& written) const;
  [[nodiscard]] const std::vector<std::string>& images_called(const std::filesystem::path& stem);

  std::filesystem::path list_;
  DatasetFolder folder_;
  std::string encoding_;
  std::map<Oddity, Found> odd_;
  /// For each searched folder: names without suffix to names of images.
  std::unordered_map<std::string, std::unordered_map<std::string, std::vector<std::string>>> folders_;
};

}  // namespace headstart
