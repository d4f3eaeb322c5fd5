// pipeline/process/interrupt.hpp: Ctrl-C. The stages poll a flag, so that work in progress is finished and
// published. Work that can't poll has a deadline: reading, listing, writing a model. Invariant: the process
// may end at any point, as by a kill, except where a Finishing guards it.
#pragma once

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>

#include "head/cancellation.hpp"

namespace headstart {

/// Thrown once the work in progress is safe; run_command_line() then returns exit code 130.
class Interrupted : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The message of every command that Ctrl-C ends.
inline constexpr const char* kInterruptedText =
    "interrupted: what was done is cached, and nothing else was written";

/// The first SIGINT or SIGTERM sets interrupt_flag(); the second one kills the process as usual. A file size
/// limit (SIGXFSZ) becomes a failed write.
void catch_interrupts();

/// True once the user asked to stop.
[[nodiscard]] const std::atomic<bool>& interrupt_flag() noexcept;

/// A request to stop, made once that flag has been true for `after`.
[[nodiscard]] Cancellation on_interrupt(std::chrono::milliseconds after = {});

/// While a Finishing lives, an interrupted process may take its time to make computed results safe.
class Finishing {
 public:
  Finishing();
  ~Finishing();
  Finishing(const Finishing&) = delete;
  Finishing& operator=(const Finishing&) = delete;
};

/// Ends an interrupted process with exit code 130 after 0.8 seconds, or 0.3 seconds after the last Finishing
/// if that is later. Only for a process that works alone: other processes would wait for it.
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
