// features/segment_folder.hpp: CACHE/<fingerprint>/<tap> as a folder that segments are stored in and unlinked
// from. It knows files and nothing of rows.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>

#include "data/file_descriptor.hpp"
#include "data/sha256.hpp"

namespace headstart {

/// The right to compact a folder, until it is destroyed or its process ends in any way.
struct FolderLock {
  /// Who has the right.
  enum class State {
    kHeld,
    kTaken,       ///< another process has it, or another cache of this one
    kImpossible,  ///< the file system can't lock
    kUnwritable,  ///< there is no lock file, and it can't be made
  };
  State state = State::kUnwritable;
  std::string reason{};  ///< if it is not held
  FileDescriptor file{-1};
};

/// The files of one tap: listed, stored, locked and unlinked.
class SegmentFolder {
 public:
  /// The name of the file that is locked.
  static constexpr const char* kLockFile = "compaction.lock";

  /// @param extractor_json  what the fingerprint's extractor.json has to say
  SegmentFolder(std::filesystem::path path, std::string extractor_json);

  /// The folder.
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
  /// Where the segment of that name lies.
  [[nodiscard]] std::filesystem::path file_of(const Sha256& digest) const;

  /// Why the folder is another extractor's: a line for a person. Nothing if it is ours.
  [[nodiscard]] const std::optional<std::string>& foreign() const noexcept { return foreign_; }

  /// Makes `bytes` durable under the name that `digest`, theirs, asks for. A whole file of that name is
  /// theirs, whoever wrote it; a damaged one is replaced. @return nothing, or why they are not there
  [[nodiscard]] std::optional<std::string> store(const Sha256& digest, std::span<const std::byte> bytes);
  /// Removes a segment. @return whether there is none of that name now
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
