// pipeline/console.hpp: what a person sees on stderr while a command runs; results go to stdout and nowhere
// near here.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <mutex>
#include <string>
#include <string_view>

namespace headstart {

/// How much a person is told.
enum class Verbosity {
  kSilent,  ///< nothing: another process of the same run says it
  kQuiet,
  kNormal,
  kVerbose
};

/// One line at a time on stderr, from any thread. A progress bar, where one is drawn, is wiped before a line
/// and redrawn after.
class Console {
 public:
  /// On stderr, with a bar if that is a terminal.
  explicit Console(Verbosity verbosity);
  /// On `out`, which has to outlive this. @param terminal  whether to draw a bar
  Console(Verbosity verbosity, bool terminal, std::FILE* out);
  ~Console();
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  void detail(std::string_view line);  ///< with --verbose only
  void note(std::string_view line);    ///< unless --quiet
  void warn(std::string_view line);    ///< behind "headstart: warning: ", unless silent

  /// Shows how far a stage is: on a terminal a bar with rate and time left, redrawn at most ten times a
  /// second; elsewhere a line every ten seconds. Silent with --quiet.
  /// @param extra  said behind the bar, e.g. "12 rejected"; may be empty
  void progress(std::string_view stage, std::uint64_t done, std::uint64_t total, std::string_view unit,
                std::string_view extra);
  /// Wipes the bar until the stage's next progress: something is written where it is.
  void hide_progress();
  /// Ends the stage: the bar goes away.
  void progress_done();

 private:
  using Clock = std::chrono::steady_clock;

  void line(std::string_view prefix, std::string_view text);
  void put(const std::string& text);
  void wipe();

  std::mutex mutex_;  // of all below
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
