// pipeline/interrupt.cpp
#include "pipeline/interrupt.hpp"

#include <csignal>

namespace headstart {
namespace {

std::atomic<bool> interrupted{false};  // the one mutable global: a signal handler can reach nothing else
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler may only touch lock-free atomics");

void on_signal(int /*signal*/) { interrupted.store(true); }

}  // namespace

void catch_interrupts() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  signal(SIGXFSZ, SIG_IGN);  // a write past a file size limit then fails with an error, as on a full disk
}

const std::atomic<bool>& interrupt_flag() noexcept { return interrupted; }

}  // namespace headstart
