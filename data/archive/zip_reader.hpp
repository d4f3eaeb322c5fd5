// data/archive/zip_reader.hpp: reads a .zip by its directory, with libzip. Every member in the directory can
// be reached, in any order, even if others are damaged. A .zip whose directory is lost is no .zip for this
// reader (data/archive/archive.hpp reads it in sequence).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "data/archive/archive_member.hpp"
#include "data/error.hpp"
#include "data/file_descriptor.hpp"

struct zip;

namespace headstart {

/// An open .zip; movable.
class ZipReader {
 public:
  /// @return nothing if `file` has no .zip directory, or a damaged one. The read position of `file` changes.
  [[nodiscard]] static std::optional<ZipReader> open(const FileDescriptor& file);

  /// How many entries the directory has.
  [[nodiscard]] std::uint64_t size() const;

  /// The entry at `position` < size(). The name has the bytes of the file. A name that is marked as UTF-8,
  /// and is UTF-8, is composed (NFC).
  [[nodiscard]] ArchiveMember member(std::uint64_t position) const;

  /// The bytes of the file at `position`. A Reject if the file is damaged, encrypted, empty, or larger than
  /// `max_bytes` (checked before the memory is taken).
  [[nodiscard]] std::variant<std::vector<std::byte>, Reject> read(std::uint64_t position,
                                                                  std::uint64_t max_bytes) const;

  /// Up to `most` first bytes of the file at `position`; nothing if they can't be read.
  [[nodiscard]] std::optional<std::vector<std::byte>> read_start(std::uint64_t position,
                                                                 std::size_t most) const;

 private:
  struct Close {
    void operator()(zip* handle) const noexcept;
  };
  explicit ZipReader(zip* handle) : handle_(handle) {}
  std::unique_ptr<zip, Close> handle_;
};

}  // namespace headstart
