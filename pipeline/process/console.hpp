// pipeline/process/console.hpp: the messages on stderr while a command runs. Results go to stdout, not
// through this class.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace headstart {

/// How much the user sees.
enum class Verbosity {
  kSilent,  ///< nothing: another process of the same run prints the messages
  kQuiet,
  kNormal,
  kVerbose
};

/// Prints one line at a time on stderr, from any thread. A progress bar is wiped before a line and drawn
/// again after it.
class Console {
 public:
  /// Prints on stderr, with a bar if stderr is a terminal.
  explicit Console(Verbosity verbosity);
  /// Prints on `out`, which has to outlive this. @param terminal  whether to draw a bar
  Console(Verbosity verbosity, bool terminal, std::FILE* out);
  ~Console();
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  void detail(std::string_view line);  ///< with --verbose only
  void note(std::string_view line);    ///< unless --quiet
  void warn(std::string_view line);    ///< after "headstart: warning: ", unless silent

  /// Shows the progress of a stage. On a terminal the progress is a bar with rate and time left, drawn at
  /// most ten times a second. Elsewhere the progress is a line every ten seconds. Silent with --quiet.
  /// @param extra  text after the bar, e.g. "12 rejected"; may be empty
  void progress(std::string_view stage, std::uint64_t done, std::uint64_t total, std::string_view unit,
                std::string_view extra);
  /// The same for work that is not counted in pieces: shows percents.
  /// @param share  of the stage's whole work that is done, 0 to 1
  void progress(std::string_view stage, double share, std::string_view extra);
  /// Wipes the bar until the stage's next progress, because other text is written in its place.
  void hide_progress();
  /// Ends the stage and removes the bar.
  void progress_done();

 private:
  using Clock = std::chrono::steady_clock;

  // Whether the progress of this stage is due to be shown. @return seconds since the stage began
  [[nodiscard]] std::optional<double> due(std::string_view stage);
  void show(std::string_view stage, double share, const std::string& text);
  void line(std::string_view prefix, std::string_view text);
  void put(const std::string& text);
  void wipe();

  std::mutex mutex_;  // guards all members below
  Verbosity verbosity_;
  bool terminal_;
  std::FILE* out_;
  std::string bar_;
  std::string stage_;
  Clock::time_point stage_start_;
  Clock::time_point last_shown_;
};

/// "1h 02m", "3m 05s", "12 s".
[[nodiscard]] std::string format_duration(double seconds);

/// "1.5 GB", "12.3 MB", "870 bytes"; decimal units.
[[nodiscard]] std::string format_bytes(std::uint64_t bytes);

}  // namespace headstart
