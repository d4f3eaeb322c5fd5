// features/cache/segment_folder.hpp: CACHE/<fingerprint>/<tap> as a folder of segments, by their digests:
// lists, verifies, stores and unlinks them. It handles files, not rows.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "data/archive/file_stamp.hpp"
#include "data/file_descriptor.hpp"
#include "data/sha256.hpp"
#include "features/cache/segment.hpp"
#include "features/cache/segment_files.hpp"

namespace headstart {

/// The right to compact a folder. It ends when this object is destroyed or its process ends in any way.
struct FolderLock {
  /// Who has the right.
  enum class State {
    kHeld,
    kTaken,       ///< another process has it, or another cache of this process
    kImpossible,  ///< the file system can't lock
    kUnwritable,  ///< there is no lock file, and it can't be made
  };
  State state = State::kUnwritable;
  std::string reason{};  ///< why the lock is not held
  FileDescriptor file{-1};
};

/// The segment files of one tap.
class SegmentFolder {
 public:
  /// The name of the lock file.
  static constexpr const char* kLockFile = "compaction.lock";

  /// @param extractor_json  the expected content of the fingerprint's extractor.json
  SegmentFolder(std::filesystem::path path, std::string extractor_json);

  /// The path of the folder.
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
  /// The path of the segment with that name.
  [[nodiscard]] std::filesystem::path file_of(const Sha256& digest) const;

  /// Why the folder belongs to another extractor: a line for the user. Nothing if it is ours.
  [[nodiscard]] const std::optional<std::string>& foreign() const noexcept { return foreign_; }

  /// The names of the segments, sorted; or why the folder can't be listed. A folder that does not exist is
  /// empty.
  [[nodiscard]] std::variant<std::vector<Sha256>, std::string> list() const;
  /// The stamp of a segment's file; nothing if there is no such file.
  [[nodiscard]] std::optional<FileStamp> stamp_of(const Sha256& digest) const;
  /// Reads and verifies segments, a few at a time. Calls `use` for each, in order, on the calling thread.
  void verify(std::span<const Sha256> digests,
              const std::function<void(const Sha256& digest, const VerifiedSegment& verified)>& use) const;
  /// Reads a segment completely and checks everything in it.
  [[nodiscard]] std::variant<Segment, LostSegment> load(const Sha256& digest) const;

  /// Makes `bytes` durable under the name for `digest`, which is their digest. An undamaged file of that name
  /// has the same bytes, whoever wrote it, and stays; a damaged one is replaced. @return nothing, or why the
  /// bytes are not stored
  [[nodiscard]] std::optional<std::string> store(const Sha256& digest, std::span<const std::byte> bytes);
  /// Removes a segment. @return whether no file of that name exists now
  [[nodiscard]] bool unlink(const Sha256& digest) const;

  /// Tries to lock the folder; never waits.
  [[nodiscard]] FolderLock lock() const;

 private:
  [[nodiscard]] std::optional<std::string> find_foreign_configuration() const;

  std::filesystem::path path_;
  std::string extractor_json_;
  std::optional<std::string> foreign_;
  bool stored_ = false;
};

}  // namespace headstart
