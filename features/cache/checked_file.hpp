// features/cache/checked_file.hpp: a disposable file of arrays of records, protected by a checksum. A damaged
// file counts as missing; it is simply made again. Records have this machine's byte order and layout.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace headstart {

/// A file of the cache in memory, verified.
class CheckedFile {
 public:
  /// Reads `file` into memory. (A mapping would crash if the file were cut short meanwhile.)
  /// @param kind  the kind that the file must state: at most 32 bytes, its version included
  /// @return nothing if the file is missing, of another kind, or damaged
  [[nodiscard]] static std::optional<CheckedFile> read(const std::filesystem::path& file,
                                                       std::string_view kind);

  /// Replaces `file` as a whole, durably.
  /// @return nothing if all went well, else why not
  [[nodiscard]] static std::optional<std::string> write(const std::filesystem::path& file,
                                                        std::string_view kind,
                                                        std::span<const std::span<const std::byte>> sections);

  /// Section `index` as records. Empty if there is no such section, or its length is not a multiple of a
  /// record's.
  template <typename Record>
  [[nodiscard]] std::span<const Record> section(std::size_t index) const {
    static_assert(std::is_trivially_copyable_v<Record> && alignof(Record) <= 8);
    if (index >= sections_.size()) return {};
    const std::span<const std::byte> bytes = sections_[index];
    if (bytes.size() % sizeof(Record) != 0) return {};
    return {reinterpret_cast<const Record*>(bytes.data()), bytes.size() / sizeof(Record)};
  }

  CheckedFile(CheckedFile&&) noexcept = default;
  CheckedFile& operator=(CheckedFile&&) noexcept = default;
  CheckedFile(const CheckedFile&) = delete;  // sections_ would point into the other object's bytes
  CheckedFile& operator=(const CheckedFile&) = delete;
  ~CheckedFile() = default;

 private:
  CheckedFile() = default;

  std::vector<std::byte> bytes_;
  std::vector<std::span<const std::byte>> sections_;  // of bytes_
};

}  // namespace headstart
