// data/dataset/archive_list.hpp: the archives that a DATASET argument stands for: one archive, the archives
// of a list or pattern, or the archives of a folder that holds nothing else.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "data/dataset/dataset_folder.hpp"

namespace headstart {

/// One archive of a dataset.
struct NamedArchive {
  std::string name;            ///< as results name it
  std::filesystem::path file;  ///< where it lies

  bool operator==(const NamedArchive&) const = default;
};

/// Expands numbers in braces: "a-{08..11}.tar" is a-08.tar, a-09.tar, a-10.tar, a-11.tar. Numbers are padded
/// with zeros to the width of the first one. With several pairs of braces the last pair counts fastest. Other
/// braces are plain text.
/// @throws Error kUsage if the pattern stands for more than a million names
[[nodiscard]] std::vector<std::string> expand_braces(std::string_view pattern);

/// Whether expand_braces() has something to expand.
[[nodiscard]] bool has_number_braces(std::string_view pattern);

/// Whether a file's name ends like an archive's: .tar, .tar.gz, .tgz, .tar.zst, .tzst, .tar.bz2, .tbz2,
/// .tar.xz, .txz, .zip; in any case.
[[nodiscard]] bool is_archive_name(std::string_view name);

/// The archives of a folder, sorted by name, if the folder holds archives (by name) and nothing else that
/// could be part of a dataset; else none.
[[nodiscard]] std::vector<NamedArchive> archives_in(const std::filesystem::path& folder);

/// The archives of a .txt or .list file: one a line, relative to the file, with braces expanded. Blank lines
/// and lines that begin with # are left out (data/dataset/name_list.hpp).
/// @throws Error kFailed if the file can't be read, or names an archive outside of its folder where `outside`
/// refuses that; kUsage if an archive does not exist; naming the line
[[nodiscard]] std::vector<NamedArchive> read_archive_list(const std::filesystem::path& file,
                                                          OutsidePaths outside);

/// The archives of a pattern with braces. They may lie anywhere, because the user typed the pattern.
/// @throws Error kUsage if one does not exist
[[nodiscard]] std::vector<NamedArchive> expand_archive_pattern(const std::filesystem::path& pattern);

}  // namespace headstart
