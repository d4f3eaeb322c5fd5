// data/archive/archive_member.hpp: one entry of an archive of any format, and the meaning of its stored name.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace headstart {

/// One entry of an archive.
struct ArchiveMember {
  /// The kind of entry.
  enum class Kind {
    kFile,
    kFolder,
    kOther,   ///< a link or a device
    kUnsafe,  ///< the name is empty, absolute, or leads out through ".."
  };
  std::uint64_t position = 0;  ///< among all members, whatever their kind
  Kind kind = Kind::kFile;
  /// As stored (any bytes but 0), with '/' between parts; no part is empty or ".". In a .zip, a name that is
  /// marked as UTF-8 is composed (NFC).
  std::string name;
  bool is_utf8 = false;  ///< a .zip marks the name as UTF-8, or the name is plain ASCII there
};

/// The member of a stored name: "./a//b/" becomes "a/b". A name that is empty, absolute or leads out gives
/// kUnsafe without a name. The top folder's own entry ("./") is a folder without a name.
[[nodiscard]] ArchiveMember named_member(std::uint64_t position, ArchiveMember::Kind kind,
                                         std::string_view stored);

}  // namespace headstart
