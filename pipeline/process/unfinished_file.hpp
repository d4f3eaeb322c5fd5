// pipeline/process/unfinished_file.hpp: a file that is written beside its place and then renamed, so that
// every failure leaves the earlier file unchanged. Invariant: any number of processes may write one file at
// once; one of them wins. Surprise: a device, a FIFO or an open file by its number can't be replaced, and is
// written directly.
#pragma once

#include <filesystem>

namespace headstart {

/// The file that `place` names, after following links; it need not exist. Links to a missing file are
/// followed, too.
/// @throws Error kFailed if the links form a circle
[[nodiscard]] std::filesystem::path target_of(std::filesystem::path place);

/// Begins empty. The destructor removes the file if it was not published or kept.
class UnfinishedFile {
 public:
  /// For `file`, or for the target of the link `file`. @throws Error kFailed if nothing can be written there
  explicit UnfinishedFile(const std::filesystem::path& file);
  ~UnfinishedFile();
  UnfinishedFile(const UnfinishedFile&) = delete;
  UnfinishedFile& operator=(const UnfinishedFile&) = delete;

  /// Where to write.
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

  /// Renames the written file to its final name. @throws Error kFailed
  void publish();

  /// Leaves the file under its present name. @return path()
  const std::filesystem::path& keep() noexcept;

 private:
  std::filesystem::path file_;
  std::filesystem::path path_;
  bool is_done_ = false;
};

}  // namespace headstart
