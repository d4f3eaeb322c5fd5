// pipeline/interrupt.hpp: Ctrl-C as a flag that the stages poll: the block in flight is finished and
// published, then we leave.
#pragma once

#include <atomic>
#include <stdexcept>

namespace headstart {

/// Thrown once the work in flight is safe; main() answers with exit code 130.
class Interrupted : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Turns the first SIGINT or SIGTERM into interrupt_flag(); the second one kills the process as usual. A file
/// size limit (SIGXFSZ) becomes a failed write.
void catch_interrupts();

/// True once the user asked to stop.
[[nodiscard]] const std::atomic<bool>& interrupt_flag() noexcept;

}  // namespace headstart
