// data/listed_paths.hpp: where the images of a list lie, as lists of other systems and tools spell them: with
// backslashes, without a suffix, in another encoding.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "data/dataset_folder.hpp"

namespace headstart {

/// Finds the images of one list.
class ListedPaths {
 public:
  /// @param encoding  of the list: a name is looked for as UTF-8, too, where no such file is; empty: UTF-8
  ListedPaths(std::filesystem::path list, OutsidePaths outside, std::string encoding);

  struct Place {
    std::string path;  ///< as rows name it
    std::filesystem::path file;
  };
  /// What line `line` calls `written`. A plain name is believed: reading it says whether it is there. Only
  /// one that is odd is looked for, in this order: as it is; in the list's encoding; with '/' for '\'; with
  /// the suffix of the one image that is called so.
  /// @throws Error kFailed naming the line, of a path that may lead out of the list's folder
  [[nodiscard]] Place find(const std::string& written, std::size_t line);

  /// What was read otherwise than written, and what was not found, one line each.
  [[nodiscard]] std::vector<std::string> notes() const;

 private:
  enum class Oddity { kBackslash, kSuffix, kManyFiles, kMissingBackslash, kMissingSuffix };
  struct Found {
    std::size_t count = 0;
    std::size_t line = 0;  // the first
    std::string name;
  };

  void remember(Oddity oddity, const std::string& name, std::size_t line);
  [[nodiscard]] std::vector<std::string> spellings(const std::string& written) const;
  [[nodiscard]] const std::vector<std::string>& images_called(const std::filesystem::path& stem);

  std::filesystem::path list_;
  DatasetFolder folder_;
  std::string encoding_;
  std::map<Oddity, Found> odd_;
  /// Of each folder that was looked into: names without suffix to names of images.
  std::unordered_map<std::string, std::unordered_map<std::string, std::vector<std::string>>> folders_;
};

}  // namespace headstart
