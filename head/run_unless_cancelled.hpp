// head/run_unless_cancelled.hpp: cancels computations that cannot check for it themselves, such as the
// eigendecompositions of a library.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <thread>
#include <type_traits>
#include <utility>

#include "head/cancellation.hpp"

namespace headstart {

/// How many tasks of run_unless_cancelled() run on threads of their own. A process that ends while one is
/// left behind has to end by std::_Exit(): the libraries' own clean-up would take the task's memory away.
inline std::atomic<int>& detached_computations() noexcept {
  static std::atomic<int> count{0};
  return count;
}

/// Returns the result of `task`. If a request to stop is possible, or somebody looks on, the task runs on its
/// own thread. After a request that thread runs on unattended, so the task must own all data that it uses.
/// @param look_on  is called on the caller's thread while the task runs; may be empty
/// @throws Cancelled; the exceptions of `task`
template <typename Task>
std::invoke_result_t<Task&> run_unless_cancelled(Task task, const Cancellation& cancellation,
                                                 const std::function<void()>& look_on = {}) {
  constexpr std::chrono::milliseconds kBetweenChecks{20};
  if (!cancellation.is_possible() && !look_on) return task();
  cancellation.check();
  std::packaged_task<std::invoke_result_t<Task&>()> packaged(std::move(task));
  auto result = packaged.get_future();
  ++detached_computations();
  std::thread([packaged = std::move(packaged)]() mutable {
    packaged();
    --detached_computations();
  }).detach();
  while (result.wait_for(kBetweenChecks) != std::future_status::ready) {
    cancellation.check();
    if (look_on) look_on();
  }
  return result.get();
}

}  // namespace headstart
