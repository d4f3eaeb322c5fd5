// pipeline/process/interrupt.cpp
#include "pipeline/process/interrupt.hpp"

#include <poll.h>
#include <semaphore.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <mutex>
#include <string>

namespace headstart {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kInterruptPatience{800};
constexpr milliseconds kToLeave{300};  // from the end of the last Finishing to the end of the process
constexpr milliseconds kBetweenLooks{20};

// Mutable globals, because a signal handler can reach nothing else. A handler may only use lock-free atomics
// and post semaphores.
std::atomic<bool> interrupted{false};
std::atomic<std::int64_t> interrupted_at{0};  // milliseconds of the monotonic clock
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<std::int64_t>::is_always_lock_free);

/// Wakes the thread that waits for a signal.
struct Bell {
  Bell() { sem_init(&semaphore, 0, 0); }
  sem_t semaphore{};
};
Bell bell;

std::mutex deadline_mutex;  // guards the next two variables, and the decision to end
int being_finished = 0;
std::int64_t finished_at = 0;

std::int64_t monotonic_ms() noexcept {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return std::int64_t{1000} * time.tv_sec + time.tv_nsec / 1'000'000;
}

void on_signal(int /*signal*/) {
  interrupted_at.store(monotonic_ms());
  interrupted.store(true);
  sem_post(&bell.semaphore);
}

}  // namespace

void catch_interrupts() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  signal(SIGXFSZ, SIG_IGN);  // then a write beyond the limit fails with an error, as on a full disk
}

const std::atomic<bool>& interrupt_flag() noexcept { return interrupted; }

Cancellation on_interrupt(milliseconds after) {
  return Cancellation(
      [after] { return interrupted.load() && monotonic_ms() - interrupted_at.load() >= after.count(); });
}

Finishing::Finishing() {
  const std::lock_guard lock(deadline_mutex);
  ++being_finished;
}

Finishing::~Finishing() {
  const std::lock_guard lock(deadline_mutex);
  --being_finished;
  finished_at = monotonic_ms();
}

InterruptDeadline::InterruptDeadline() : thread_([this] { watch(); }) {}

InterruptDeadline::~InterruptDeadline() {
  {
    const std::lock_guard lock(deadline_mutex);
    over_ = true;
  }
  sem_post(&bell.semaphore);
  thread_.join();
}

void InterruptDeadline::watch() {
  while (sem_wait(&bell.semaphore) != 0) continue;
  while (true) {
    {
      const std::lock_guard lock(deadline_mutex);
      if (over_) return;
      const bool late = monotonic_ms() >= interrupted_at.load() + kInterruptPatience.count() &&
                        monotonic_ms() >= finished_at + kToLeave.count();
      if (being_finished == 0 && late) {
        const std::string clear = isatty(STDERR_FILENO) != 0 ? "\r\x1b[K" : "";  // removes a progress bar
        const std::string line = clear + "headstart: " + kInterruptedText + "\n";
        // If nothing reads stderr, as with a stopped terminal, nothing is printed, because a write would
        // block.
        pollfd room{STDERR_FILENO, POLLOUT, 0};
        if (poll(&room, 1, 0) == 1) static_cast<void>(!write(STDERR_FILENO, line.data(), line.size()));
        _exit(130);
      }
    }
    std::this_thread::sleep_for(kBetweenLooks);
  }
}

}  // namespace headstart
