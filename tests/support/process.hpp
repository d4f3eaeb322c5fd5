// tests/support/process.hpp: runs a program as a user would and keeps what it said.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace headstart::test {

struct ProcessResult {
  int exit_code = 0;  ///< 128 + signal for a killed process, as a shell says it
  std::string out;
  std::string err;
};

struct ProcessOptions {
  std::string directory;                                         ///< working directory; empty: ours
  std::vector<std::pair<std::string, std::string>> environment;  ///< set on top of ours
  std::string input;                                             ///< stdin
  std::function<void(int pid)>
      while_running;                  ///< called once in the parent after the start, e.g. to send a signal
  std::function<void()> before_exec;  ///< called in the child, e.g. to set a limit
};

[[nodiscard]] ProcessResult run_process(const std::vector<std::string>& arguments,
                                        const ProcessOptions& options = {});

/// The headstart binary with these arguments.
[[nodiscard]] ProcessResult headstart_process(const std::vector<std::string>& arguments,
                                              const ProcessOptions& options = {});

/// Waits until a process has used so many seconds of processor time, or has ended. Other load on the machine
/// has no influence on where the process is then.
void wait_for_processor_time(int pid, double seconds);

[[nodiscard]] std::string read_text(const std::string& file);

}  // namespace headstart::test
