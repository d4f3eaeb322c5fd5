// data/archive_member.hpp: one entry of an archive, whatever its format, and what its stored name means.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace headstart {

/// One entry of an archive.
struct ArchiveMember {
  /// What it is.
  enum class Kind {
    kFile,
    kFolder,
    kOther,   ///< a link or a device
    kUnsafe,  ///< its name is empty, absolute, or leads out through ".."
  };
  std::uint64_t position = 0;  ///< among all members, whatever their kind
  Kind kind = Kind::kFile;
  /// As stored (any bytes but 0), '/' between parts, none of them empty or "."; in a .zip, composed (NFC)
  /// where it is marked as UTF-8.
  std::string name;
  bool is_utf8 = false;  ///< a .zip marks the name as UTF-8, or it is plain ASCII there
};

/// The member of a stored name: "./a//b/" is "a/b"; one that is empty, absolute or leads out is kUnsafe and
/// has no name. The top folder's own entry ("./") is a folder without a name.
[[nodiscard]] ArchiveMember named_member(std::uint64_t position, ArchiveMember::Kind kind,
                                         std::string_view stored);

}  // namespace headstart
