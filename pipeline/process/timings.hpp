// pipeline/process/timings.hpp: where the time of a command goes. Passes follow each other without gaps, so
// their seconds add up to the command's.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace headstart {

/// The names of passes that several commands have.
namespace pass {
inline constexpr std::string_view kStart = "start: weights, cache";
inline constexpr std::string_view kList = "list the images";
inline constexpr std::string_view kFeatures = "compute or find features";
inline constexpr std::string_view kRows = "read features";
inline constexpr std::string_view kInspect = "inspect";
inline constexpr std::string_view kSearch = "search";
inline constexpr std::string_view kTrain = "train";
inline constexpr std::string_view kEvaluate = "evaluate";
inline constexpr std::string_view kWrite = "write the results";
}  // namespace pass

/// The passes of one command.
class Timings {
 public:
  /// The clock of all times.
  using Clock = std::chrono::steady_clock;

  /// One pass of a run.
  struct Pass {
    std::string name;
    double seconds = 0.0;
  };

  /// The first pass begins here. @param now  the clock; tests have another
  explicit Timings(std::string_view first, Clock::time_point now = Clock::now());

  /// Ends the current pass and begins the next one. Passes of one name are one, which goes on.
  void begin(std::string_view name, Clock::time_point now = Clock::now());

  /// All passes in the order in which they began, the current one until now.
  [[nodiscard]] std::vector<Pass> passes(Clock::time_point now = Clock::now()) const;

  /// The passes with their seconds and shares, and the total, as --verbose shows them.
  [[nodiscard]] std::string table(Clock::time_point now = Clock::now()) const;

 private:
  std::vector<Pass> passes_;
  std::size_t current_ = 0;
  Clock::time_point since_;
};

}  // namespace headstart
