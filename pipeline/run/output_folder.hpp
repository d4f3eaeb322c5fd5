// pipeline/run/output_folder.hpp: the OUT folder of train, sweep and finetune, published as a whole: written
// beside its final place, then exchanged. Invariant: a run that fails leaves an earlier OUT unchanged. A
// folder that headstart did not make is never replaced.
#pragma once

#include <filesystem>
#include <string_view>

namespace headstart {

/// A folder that is being written. Files go to staging(), and publish() makes them OUT. The destructor
/// removes files that were not published. If a run was killed, the next run removes its files beside OUT. A
/// live run is recognised by its lock on its staging folder.
class OutputFolder {
 public:
  /// @throws Error kUsage if `out` exists and is neither empty nor a folder that headstart made, if it is "."
  /// or "/", or if its parent can't be written
  explicit OutputFolder(const std::filesystem::path& out);
  ~OutputFolder();
  OutputFolder(const OutputFolder&) = delete;
  OutputFolder& operator=(const OutputFolder&) = delete;

  [[nodiscard]] const std::filesystem::path& staging() const noexcept { return staging_; }

  /// Makes everything in staging() durable and swaps it with OUT (renameat2 RENAME_EXCHANGE). Where the file
  /// system has no such exchange, OUT becomes OUT.old and staging becomes OUT. @throws Error kFailed; then
  /// OUT is unchanged
  void publish();

  /// OUT.name, a file beside OUT.
  [[nodiscard]] std::filesystem::path beside(std::string_view name) const;
  /// Makes staging()/name durable and moves it to beside(name), in place of an existing file. After a kill,
  /// the rest of it is in staging(). @throws Error kFailed; then beside(name) is unchanged
  void publish_beside(std::string_view name);
  /// Removes the folder beside(name), if headstart made it. A failure is not an error.
  void remove_beside(std::string_view name) const noexcept;

 private:
  std::filesystem::path out_;
  std::filesystem::path staging_;
  int lock_ = -1;  // descriptor of staging_, locked while this object lives
};

}  // namespace headstart
