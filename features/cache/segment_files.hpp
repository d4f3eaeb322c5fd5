// features/cache/segment_files.hpp: lists the segment files of a cache folder, reads and verifies them, sets
// damaged ones aside.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <variant>
#include <vector>

#include "data/archive/file_stamp.hpp"
#include "data/sha256.hpp"
#include "features/cache/segment.hpp"

namespace headstart {

/// Files of `folder` named segment-<64 hexadecimal digits>.h5, sorted by name. Other files are skipped.
/// @param error  set if the folder exists and can't be listed
[[nodiscard]] std::vector<std::filesystem::path> list_segments(const std::filesystem::path& folder,
                                                               std::error_code& error);

/// The digest in a segment's file name; nothing if the name has any other form.
[[nodiscard]] std::optional<Sha256> digest_in_name(const std::filesystem::path& file);

/// A segment's bytes. Their SHA-256 is `digest`.
struct SegmentFile {
  Sha256 digest;
  std::vector<std::byte> bytes;
};

/// Why a segment file can't be used.
struct SegmentFault {
  /// The kind of fault.
  enum class Kind {
    kGone,        ///< the file no longer exists: another process compacted the cache or set the file aside
    kUnreadable,  ///< the segment may be fine for another user, or later
    kDamaged,     ///< the content is wrong
  };
  Kind kind;
  std::string reason;
};

/// A segment that can't be used any more.
struct LostSegment {
  Sha256 digest;    ///< of its name
  FileStamp stamp;  ///< of its file, from before it was read
  SegmentFault fault;
};

/// The bytes of a segment, if their SHA-256 is the one in its name. Only such bytes may be given to HDF5,
/// because damaged metadata can crash HDF5.
[[nodiscard]] std::variant<SegmentFile, SegmentFault> read_segment_file(const std::filesystem::path& file);

/// Decodes verified bytes: checks every shape, index and value. A segment may have been written with a fault,
/// although its digest is right.
[[nodiscard]] std::variant<Segment, SegmentFault> segment_of(
    const std::variant<SegmentFile, SegmentFault>& content);
/// Like segment_of(), for the header alone.
[[nodiscard]] std::variant<SegmentHeader, SegmentFault> header_of(
    const std::variant<SegmentFile, SegmentFault>& content);

/// The result for one file of verify_segments().
struct VerifiedSegment {
  const std::filesystem::path& file;
  FileStamp stamp;  ///< from before the file was read
  std::variant<SegmentFile, SegmentFault> content;
};
/// Reads and hashes `files` on several threads, a few at a time. Calls `use` for each, in order, on the
/// calling thread.
void verify_segments(std::span<const std::filesystem::path> files,
                     const std::function<void(const VerifiedSegment&)>& use);

/// Renames a damaged segment to NAME.bad, so that it is not read again. If the folder can't be written, the
/// file stays and is skipped each time. For other kinds of fault the file stays, because headstart must not
/// move another user's file. The file also stays if it has changed since it was read: another process stored
/// it again, undamaged.
/// @param stamp  the file's, from before it was read
/// @return the line for the user
[[nodiscard]] std::string set_aside(const std::filesystem::path& file, const FileStamp& stamp,
                                    const SegmentFault& fault);

}  // namespace headstart
