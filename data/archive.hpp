// data/archive.hpp: the members of a .tar (plain, or compressed with gzip, zstd or bzip2) or a .zip, one
// after another, by libarchive; a .zip that has its directory, by that (data/zip_reader.hpp). Nothing is
// unpacked to disk, and no other program is started. Invariant: the same file gives the same members at the
// same positions, whichever of them were read before. Surprise: what is damaged is a value between the
// members, as the members behind it may still be good.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "data/archive_member.hpp"
#include "data/error.hpp"
#include "data/file_stamp.hpp"

namespace headstart {

/// Something that is no member, where one was expected.
struct ArchiveDamage {
  std::string reason;   ///< one line
  bool is_end = false;  ///< nothing more can be read
};

struct ArchiveEnd {};

/// A damaged member may end a reader, and another one has to start at the front: so often at most, as an
/// archive that is all damage would cost the square of its members otherwise.
inline constexpr std::size_t kMaxReopened = 100;

/// Reads an archive from front to back; movable.
class ArchiveReader {
 public:
  /// @return why not, where `file` can't be opened, is no regular file, or doesn't start as an archive does.
  /// The name of the file doesn't matter.
  [[nodiscard]] static std::variant<ArchiveReader, Reject> open(const std::filesystem::path& file);

  /// Another reader of `file`, whose next() is behind the member at `position`; nothing if that can't be
  /// reached.
  [[nodiscard]] static std::optional<ArchiveReader> open_behind(const std::filesystem::path& file,
                                                                std::uint64_t position);

  /// Takes its place over; the source may only be destroyed or assigned to.
  ArchiveReader(ArchiveReader&&) noexcept;
  /// The same.
  ArchiveReader& operator=(ArchiveReader&&) noexcept;
  ~ArchiveReader();

  /// The next member, passing over what wasn't read of the last one.
  [[nodiscard]] std::variant<ArchiveMember, ArchiveDamage, ArchiveEnd> next();

  /// The bytes of the member that next() gave last, or why not: damaged, encrypted, empty, or more than
  /// `max_bytes` (which is found out before the memory is taken). Once for each member.
  [[nodiscard]] std::variant<std::vector<std::byte>, Reject> read(std::uint64_t max_bytes);

  /// Up to `most` first bytes of the member that next() gave last; nothing if they can't be read. In place of
  /// read().
  [[nodiscard]] std::optional<std::vector<std::byte>> read_start(std::size_t most);

  /// Of the open file, as it is now.
  [[nodiscard]] FileStamp stamp() const;

  /// False once nothing more can be read; another reader may still reach the members behind.
  [[nodiscard]] bool is_usable() const noexcept;

 private:
  struct State;
  explicit ArchiveReader(std::unique_ptr<State> state) noexcept;
  [[nodiscard]] std::variant<std::vector<std::byte>, Reject> read_all(std::uint64_t max_bytes);
  std::unique_ptr<State> state_;
};

/// Whether `file` is an archive with a member in it, by its content; costs reading its beginning.
[[nodiscard]] bool is_archive(const std::filesystem::path& file);

}  // namespace headstart
