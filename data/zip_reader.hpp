// data/zip_reader.hpp: a .zip by its directory, by libzip: every member that the directory names can be
// reached, in any order and whatever the others are like. One whose directory is lost is no .zip for this
// reader (data/archive.hpp reads it in sequence).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "data/archive_member.hpp"
#include "data/error.hpp"
#include "data/file_descriptor.hpp"

struct zip;

namespace headstart {

/// An open .zip; movable.
class ZipReader {
 public:
  /// @return nothing where `file` has no directory of a .zip, or a damaged one. The position of `file`
  /// changes.
  [[nodiscard]] static std::optional<ZipReader> open(const FileDescriptor& file);

  /// How many entries the directory has.
  [[nodiscard]] std::uint64_t size() const;

  /// The entry at `position` < size(). Bytes of its name are those of the file, but NFC where they are marked
  /// as UTF-8, and are UTF-8.
  [[nodiscard]] ArchiveMember member(std::uint64_t position) const;

  /// The bytes of the file at `position`, or why not: damaged, encrypted, empty, or more than `max_bytes`
  /// (which is found out before the memory is taken).
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
