// data/archive/archive_listing.hpp: the content of an archive, from one pass over the archive. Note: the same
// pass reads the labels (data/archive/webdataset_label.hpp), because a second pass may cost as much as
// extraction.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "data/archive/archive.hpp"
#include "data/archive/image_source.hpp"
#include "data/archive/webdataset_label.hpp"
#include "data/file_kind.hpp"

namespace headstart {

struct ListedMember {
  std::string name;
  std::uint64_t position = 0;
  FileKind kind = FileKind::kImage;
  bool is_utf8 = false;  ///< as in ArchiveMember
};

struct ArchiveListing {
  std::filesystem::path file;
  FileStamp stamp;
  std::vector<ListedMember> files;   ///< visible regular files, as they lie; of equal names the last
  std::vector<std::string> folders;  ///< visible folders that have their own entry, in the archive's order
  std::set<std::string> clutter;     ///< the topmost folders and files that are skipped by name
  std::unordered_map<std::string, WebdatasetLabel> labels;  ///< by WebDataset key
  std::vector<std::string> damages;                         ///< why members may be missing, one line each
  std::vector<std::string> notes;                           ///< about skipped members, one line each

  /// Where to read one of `files`.
  [[nodiscard]] ImageSource source(const ListedMember& member) const;
};

/// Lists `file`. Unreadable parts are in `damages`. A file that is no archive is one damage.
[[nodiscard]] ArchiveListing list_archive(const std::filesystem::path& file);

}  // namespace headstart
