// pipeline/session.hpp: what every run has beside its options: where it talks, and who works.
#pragma once

#include <filesystem>

#include "pipeline/console.hpp"
#include "pipeline/processes.hpp"

namespace headstart {

/// What a command runs with besides its own options.
struct Session {
  Console& console;
  int threads;
  Processes* processes = nullptr;       ///< those that work together; null: this one is alone
  std::filesystem::path config_file{};  ///< that options came from; empty: none

  /// Whether this is the process that tells and writes what all of them did.
  [[nodiscard]] bool leads() const noexcept { return processes == nullptr || processes->rank() == 0; }
};

}  // namespace headstart
