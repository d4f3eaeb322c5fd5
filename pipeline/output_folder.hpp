// pipeline/output_folder.hpp: the OUT folder of train, sweep and finetune, published whole: written beside
// its final place, then exchanged. Invariant: a run that fails leaves an earlier OUT as it was; a folder that
// headstart did not make is never replaced.
#pragma once

#include <filesystem>
#include <string_view>

namespace headstart {

/// A folder being written. Files go to staging(); publish() makes them OUT; the destructor abandons what was
/// not published. What a killed run left beside OUT is cleared away by the next one: a live run holds a lock
/// on its staging folder.
class OutputFolder {
 public:
  /// @throws Error kUsage if `out` exists and is not a folder that headstart made (or an empty one), is "."
  /// or "/", or if its
  ///         parent can't be written
  explicit OutputFolder(const std::filesystem::path& out);
  ~OutputFolder();
  OutputFolder(const OutputFolder&) = delete;
  OutputFolder& operator=(const OutputFolder&) = delete;

  [[nodiscard]] const std::filesystem::path& staging() const noexcept { return staging_; }

  /// Makes everything in staging() durable and swaps it with OUT (renameat2 RENAME_EXCHANGE; where the file
  /// system lacks it: OUT to OUT.old, staging to OUT). @throws Error kFailed; OUT is then what it was
  void publish();

  /// OUT.name, a file beside OUT.
  [[nodiscard]] std::filesystem::path beside(std::string_view name) const;
  /// Makes staging()/name durable and moves it to beside(name), in place of what is there. What a kill leaves
  /// of it is in staging(). @throws Error kFailed; beside(name) is then what it was
  void publish_beside(std::string_view name);
  /// Removes the folder beside(name), if headstart made it; failing to is no error.
  void remove_beside(std::string_view name) const noexcept;

 private:
  std::filesystem::path out_;
  std::filesystem::path staging_;
  int lock_ = -1;  // descriptor of staging_, locked while this object lives
};

}  // namespace headstart
