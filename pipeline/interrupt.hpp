// pipeline/interrupt.hpp: Ctrl-C. A flag that the stages poll, so that what is in flight is finished and
// published; and a deadline for what can't poll: reading, listing, writing a model.
// Invariant: whatever the process is at may be cut short, as by a kill, but for what a Finishing guards.
#pragma once

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>

#include "head/cancellation.hpp"

namespace headstart {

/// Thrown once the work in flight is safe; main() answers with exit code 130.
class Interrupted : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// What every command can say of its end by Ctrl-C.
inline constexpr const char* kInterruptedText =
    "interrupted: what was done is cached, and nothing else was written";

/// Turns the first SIGINT or SIGTERM into interrupt_flag(); the second one kills the process as usual. A file
/// size limit (SIGXFSZ) becomes a failed write.
void catch_interrupts();

/// True once the user asked to stop.
[[nodiscard]] const std::atomic<bool>& interrupt_flag() noexcept;

/// Requested once that flag has been true for so long.
[[nodiscard]] Cancellation on_interrupt(std::chrono::milliseconds after = {});

/// While one lives, an interrupted process may take its time: what it has computed is being made safe.
class Finishing {
 public:
  Finishing();
  ~Finishing();
  Finishing(const Finishing&) = delete;
  Finishing& operator=(const Finishing&) = delete;
};

/// While it lives, a process that was interrupted and has not ended within 1.5 seconds ends here and now,
/// with exit code 130; half a second after the last Finishing, if that is later. For one process alone:
/// others would wait for it.
class InterruptDeadline {
 public:
  InterruptDeadline();
  ~InterruptDeadline();
  InterruptDeadline(const InterruptDeadline&) = delete;
  InterruptDeadline& operator=(const InterruptDeadline&) = delete;

 private:
  void watch();

  std::atomic<bool> over_{false};
  std::thread thread_;
};

}  // namespace headstart
