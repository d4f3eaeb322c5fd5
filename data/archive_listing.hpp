// data/archive_listing.hpp: what an archive holds, from one pass over it.
// Surprise: labels are read in the same pass (data/webdataset.hpp), as a second one may cost as much as
// extraction does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "data/archive.hpp"
#include "data/file_kind.hpp"
#include "data/image_source.hpp"
#include "data/webdataset_label.hpp"

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
  std::vector<std::string> folders;  ///< visible ones that have an entry of their own, as they lie
  std::set<std::string> clutter;     ///< passed over by name, each as the topmost folder or file of that kind
  std::unordered_map<std::string, WebdatasetLabel> labels;  ///< by WebDataset key
  std::vector<std::string> damages;                         ///< why members may be missing, one line each
  std::vector<std::string> notes;                           ///< what was passed over, one line each

  /// Where to read one of `files`.
  [[nodiscard]] ImageSource source(const ListedMember& member) const;
};

/// Lists `file`. What can't be read is among the damages: all of it, for a file that is no archive.
[[nodiscard]] ArchiveListing list_archive(const std::filesystem::path& file);

}  // namespace headstart
