// features/file_digests.hpp: CACHE/stat: the SHA-256 of files, and of members of archives, that nobody has
// touched since they were read, so that a run over an unchanged dataset reads no image. Disposable: without
// it they are read and hashed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "data/file_stamp.hpp"
#include "data/image_source.hpp"
#include "data/sha256.hpp"
#include "features/checked_file.hpp"

namespace headstart {

/// find() and add() are for any number of threads at once, save() for one that is alone. Any number of
/// processes may use one file: what two of them save at once may lose entries, which costs reading those
/// images again.
class FileDigests {
 public:
  /// @param file     CACHE/stat
  /// @param trusted  false: finds nothing, so that every file is read again (--rehash); still saves
  FileDigests(std::filesystem::path file, bool trusted);

  /// What the file with this stamp contains, or `member` of the archive with it, by its place and name;
  /// nothing if that is not known.
  [[nodiscard]] std::optional<Sha256> find(const FileStamp& stamp,
                                           const std::optional<MemberSource>& member = {}) const;

  /// Remembers what a file (or `member` of it) contained that had this stamp before and after it was read. A
  /// file that changed less than two seconds ago is not remembered: another change may leave it with the same
  /// stamp.
  /// @param now_ns  since 1970, after the file was read
  void add(const FileStamp& stamp, const Sha256& content, std::int64_t now_ns,
           const std::optional<MemberSource>& member = {});

  /// Writes what is new into the file, together with what is there by now. Entries that nobody added for half
  /// a year go once there are many.
  /// @return nothing if all went well, else why not
  [[nodiscard]] std::optional<std::string> save();

 private:
  /// Stamps and members are kept as digests of themselves, which are as good and shorter.
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
  mutable std::mutex lock_;           // of added_
  std::unordered_map<std::pair<std::uint64_t, std::uint64_t>, Entry, KeyHash> added_;
};

}  // namespace headstart
