// features/segment_files.hpp: the segments of a cache folder as files: listed, read and verified, set aside.
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

#include "data/file_stamp.hpp"
#include "data/sha256.hpp"
#include "features/segment.hpp"

namespace headstart {

/// Files of `folder` named segment-<64 hexadecimal digits>.h5, sorted by name; whatever else is there is
/// passed over.
/// @param error  set if the folder is there and can't be listed
[[nodiscard]] std::vector<std::filesystem::path> list_segments(const std::filesystem::path& folder,
                                                               std::error_code& error);

/// The digest that a segment's file name states; nothing if the name is spelled in any way but ours.
[[nodiscard]] std::optional<Sha256> digest_in_name(const std::filesystem::path& file);

/// A segment's bytes, whose SHA-256 is `digest`.
struct SegmentFile {
  Sha256 digest;
  std::vector<std::byte> bytes;
};

/// Why a segment file can't be used.
struct SegmentFault {
  /// What is wrong.
  enum class Kind {
    kGone,        ///< there is no such file any more: somebody compacted the cache or set it aside
    kUnreadable,  ///< it may be fine, for somebody else or later
    kDamaged,     ///< its content is wrong
  };
  Kind kind;
  std::string reason;
};

/// The bytes of a segment, if their SHA-256 is the one in its name: only such bytes may reach HDF5, which
/// damaged metadata can crash.
[[nodiscard]] std::variant<SegmentFile, SegmentFault> read_segment_file(const std::filesystem::path& file);

/// The same, decoded: every shape, index and value checked too.
[[nodiscard]] std::variant<Segment, SegmentFault> load_segment(const std::filesystem::path& file);

/// What became of one file of verify_segments().
struct VerifiedSegment {
  const std::filesystem::path& file;
  FileStamp stamp;  ///< from before it was read
  std::variant<SegmentFile, SegmentFault> content;
};
/// Reads and hashes `files` on several threads, a few at a time, and hands them over in order on this thread.
void verify_segments(std::span<const std::filesystem::path> files,
                     const std::function<void(const VerifiedSegment&)>& use);

/// Renames a damaged segment to NAME.bad, so that nobody reads it again; where the folder can't be written it
/// stays and is passed over each time. Other faults leave the file alone: another user's file is not ours to
/// move. So do they where the file is not the one that was read any more: somebody stored it again, whole.
/// @param stamp  the file's, from before it was read
/// @return the line that tells the user
[[nodiscard]] std::string set_aside(const std::filesystem::path& file, const FileStamp& stamp,
                                    const SegmentFault& fault);

}  // namespace headstart
