// pipeline/unfinished_file.hpp: a file that is written beside its place and then renamed, so that what stood
// there before survives every failure. Invariant: any number of processes may write one file at once; one of
// them wins. Surprise: a device, a FIFO or an open file by its number can't be replaced, and is written where
// it is.
#pragma once

#include <filesystem>

namespace headstart {

/// Where an output is, or is to be, that `place` may be a link to. Links that lead nowhere are followed too.
/// @throws Error kFailed if they lead in a circle
[[nodiscard]] std::filesystem::path target_of(std::filesystem::path place);

/// Empty at first; the destructor removes what was not published or kept.
class UnfinishedFile {
 public:
  /// For `file`, or what it links to. @throws Error kFailed if nothing can be written there
  explicit UnfinishedFile(const std::filesystem::path& file);
  ~UnfinishedFile();
  UnfinishedFile(const UnfinishedFile&) = delete;
  UnfinishedFile& operator=(const UnfinishedFile&) = delete;

  /// Where to write.
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

  /// Makes it the file. @throws Error kFailed
  void publish();

  /// Leaves it where it is. @return path()
  const std::filesystem::path& keep() noexcept;

 private:
  std::filesystem::path file_;
  std::filesystem::path path_;
  bool is_done_ = false;
};

}  // namespace headstart
