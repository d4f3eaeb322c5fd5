// features/cache/segment_folder.hpp: CACHE/<fingerprint>/<tap> as a folder in which segments are stored and
// unlinked. It handles files, not rows.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>

#include "data/file_descriptor.hpp"
#include "data/sha256.hpp"

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

/// The files of one tap: lists, stores, locks and unlinks them.
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
