// pipeline/process/session.hpp: the console, threads and processes of a run.
#pragma once

#include <filesystem>
#include <string_view>

#include "pipeline/process/console.hpp"
#include "pipeline/process/processes.hpp"
#include "pipeline/process/timings.hpp"

namespace headstart {

/// The things that a command needs besides its own options.
struct Session {
  Console& console;
  int threads;
  Processes* processes = nullptr;       ///< the processes that work together; null: this process is alone
  std::filesystem::path config_file{};  ///< the file that options came from; empty: none
  Timings* timings = nullptr;           ///< where the time goes; null: nobody asks

  /// From here on the time is that of this pass.
  void begin_pass(std::string_view name) const {
    if (timings != nullptr) timings->begin(name);
  }

  /// Whether this process prints and writes the results of all processes.
  [[nodiscard]] bool leads() const noexcept { return processes == nullptr || processes->rank() == 0; }
};

}  // namespace headstart
