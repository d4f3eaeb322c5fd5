// data/archive/image_reader.hpp: reads the bytes of images in files and archives, with at most one archive
// open at a time. Invariant: headstart reads what it listed. If an archive was replaced or changed since the
// listing, the result is a reason, never another member's bytes. Note: archives have no random access, so
// reading members is cheap only in reading_order(). Against that order the archive is read from its beginning
// again.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "data/archive/archive.hpp"
#include "data/archive/image_source.hpp"
#include "data/error.hpp"
#include "data/file_bytes.hpp"

namespace headstart {

/// Reads files and members of archives. For one thread.
class ImageReader {
 public:
  /// @param max_bytes  of an image: a larger one is a reject
  explicit ImageReader(std::uint64_t max_bytes = kMaxImageFileBytes) : max_bytes_(max_bytes) {}

  /// The bytes of `source`, or why not.
  /// @param stop  once true, no further member is skipped, and the result must not be used as the image's
  /// result; may be null
  [[nodiscard]] std::variant<std::vector<std::byte>, Reject> read(const ImageSource& source,
                                                                  const std::atomic<bool>* stop = nullptr);

 private:
  [[nodiscard]] std::variant<std::vector<std::byte>, Reject> read_member(const std::filesystem::path& file,
                                                                         const MemberSource& member,
                                                                         const std::atomic<bool>* stop);
  [[nodiscard]] std::optional<Reject> open(const std::filesystem::path& file);
  [[nodiscard]] std::optional<Reject> advance(std::uint64_t position, const std::atomic<bool>* stop);

  std::uint64_t max_bytes_;
  std::filesystem::path file_;            // of the archive; empty: none yet
  std::optional<ArchiveReader> archive_;  // nothing if it can't be opened
  std::optional<ArchiveMember> current_;  // nothing before the first member, and after it was read
  std::uint64_t next_ = 0;                // position of the next member
  std::optional<std::uint64_t> end_;      // members from here on can't be reached
  std::string end_reason_;
  std::size_t reopened_ = 0;  // how often damage ended a reader and the archive was opened again
};

}  // namespace headstart
