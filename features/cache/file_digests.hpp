// features/cache/file_digests.hpp: CACHE/stat: the SHA-256 of files and archive members that have not changed
// since they were read. A run over an unchanged dataset reads no image. The file is disposable: without it,
// images are read and hashed again.
#pragma once

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "data/archive/file_stamp.hpp"
#include "data/archive/image_source.hpp"
#include "data/sha256.hpp"
#include "features/cache/checked_file.hpp"

namespace headstart {

/// Any number of threads may call find() and add() at once; save() needs to be alone. Any number of processes
/// may use one file. If two of them save at once, entries may get lost, and those images are read again.
class FileDigests {
 public:
  /// @param file     CACHE/stat
  /// @param trusted  false: finds nothing, so that every file is read again (--rehash); still saves
  FileDigests(std::filesystem::path file, bool trusted);

  /// The digest of the file with this stamp, or of `member` (by position and name) in the archive with this
  /// stamp. Nothing if unknown.
  [[nodiscard]] std::optional<Sha256> find(const FileStamp& stamp,
                                           const std::optional<MemberSource>& member = {}) const;

  /// Remembers the digest of a file (or of `member` of it) that had this stamp before and after it was read.
  /// A file that changed less than two seconds ago is not remembered, because another change may leave it
  /// with the same stamp.
  /// @param now_ns  since 1970, after the file was read
  void add(const FileStamp& stamp, const Sha256& content, std::int64_t now_ns,
           const std::optional<MemberSource>& member = {});

  /// Writes new entries into the file, together with its present entries. Once there are many, entries that
  /// nobody added for half a year are removed.
  /// @return nothing if all went well, else why not
  [[nodiscard]] std::optional<std::string> save();

 private:
  /// The file keeps digests of stamps and members instead of the stamps and members themselves. A digest
  /// identifies them as well and is shorter.
  struct Entry {
    std::uint64_t key[2];
    std::uint64_t day;  ///< since 1970, of add()
    Sha256 content;
  };
  struct KeyHash {
    std::size_t operator()(const std::pair<std::uint64_t, std::uint64_t>& key) const noexcept {
      return static_cast<std::size_t>(key.first);
    }
  };
  [[nodiscard]] static std::span<const Entry> entries_of(const std::optional<CheckedFile>& known);

  std::filesystem::path file_;
  bool trusted_;
  std::optional<CheckedFile> known_;  // sorted by key
  mutable std::mutex lock_;           // protects added_
  std::unordered_map<std::pair<std::uint64_t, std::uint64_t>, Entry, KeyHash> added_;
};

}  // namespace headstart
