// data/archive/archive.hpp: reads the members of an archive, one after another. An archive is a .tar (plain,
// or compressed with gzip, zstd, bzip2 or xz) or a .zip. libarchive reads archives; a .zip that has its
// directory is read by that directory (data/archive/zip_reader.hpp). Nothing is unpacked to disk, and no
// other program is started. Invariant: the same file gives the same members at the same positions, whichever
// members were read before. Note: damage is a value between the members, because the members behind the
// damage may still be good.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "data/archive/archive_member.hpp"
#include "data/archive/file_stamp.hpp"
#include "data/error.hpp"

namespace headstart {

/// Damage in the place of a member.
struct ArchiveDamage {
  std::string reason;   ///< one line
  bool is_end = false;  ///< nothing more can be read
};

struct ArchiveEnd {};

/// How often a reader starts again at the front, at most. A damaged member may end a reader, and another
/// reader has to start at the front. Without this limit an archive that is all damage would cost the square
/// of its members.
inline constexpr std::size_t kMaxReopened = 100;

/// Reads an archive from front to back; movable.
class ArchiveReader {
 public:
  /// @return the reader, or why `file` can't be read: it can't be opened, is no regular file, or does not
  /// start like an archive. The name of the file doesn't matter.
  [[nodiscard]] static std::variant<ArchiveReader, Reject> open(const std::filesystem::path& file);

  /// Another reader of `file`, whose next() is behind the member at `position`; nothing if the reader can't
  /// get there.
  [[nodiscard]] static std::optional<ArchiveReader> open_behind(const std::filesystem::path& file,
                                                                std::uint64_t position);

  /// The moved-from reader may only be destroyed or assigned to.
  ArchiveReader(ArchiveReader&&) noexcept;
  /// Like the move constructor.
  ArchiveReader& operator=(ArchiveReader&&) noexcept;
  ~ArchiveReader();

  /// The next member. Skips the unread rest of the last member.
  [[nodiscard]] std::variant<ArchiveMember, ArchiveDamage, ArchiveEnd> next();

  /// The bytes of the member that next() gave last. A Reject if the member is damaged, encrypted, empty, or
  /// larger than `max_bytes` (checked before the memory is taken). At most one call for each member.
  [[nodiscard]] std::variant<std::vector<std::byte>, Reject> read(std::uint64_t max_bytes);

  /// Up to `most` first bytes of the member that next() gave last; nothing if they can't be read. Call
  /// read_start() or read() for a member, not both.
  [[nodiscard]] std::optional<std::vector<std::byte>> read_start(std::size_t most);

  /// The stamp of the open file, as the file is now.
  [[nodiscard]] FileStamp stamp() const;

  /// False once this reader can read no more. Another reader may still reach the members behind.
  [[nodiscard]] bool is_usable() const noexcept;

 private:
  struct State;
  explicit ArchiveReader(std::unique_ptr<State> state) noexcept;
  [[nodiscard]] std::variant<std::vector<std::byte>, Reject> read_all(std::uint64_t max_bytes);
  std::unique_ptr<State> state_;
};

/// Whether `file` is an archive with at least one member. Decides by the content; reads only the beginning of
/// the file.
[[nodiscard]] bool is_archive(const std::filesystem::path& file);

}  // namespace headstart
