// head/run_unless_cancelled.hpp: cancels computations that cannot check for it themselves, such as the
// eigendecompositions of a library.
#pragma once

#include <chrono>
#include <future>
#include <thread>
#include <type_traits>
#include <utility>

#include "head/cancellation.hpp"

namespace headstart {

/// Returns the result of `task`. If a request to stop is possible, the task runs on its own thread. After a
/// request that thread runs on unattended, so the task must own all data that it uses.
/// @throws Cancelled; the exceptions of `task`
template <typename Task>
std::invoke_result_t<Task&> run_unless_cancelled(Task task, const Cancellation& cancellation) {
  constexpr std::chrono::milliseconds kBetweenChecks{20};
  if (!cancellation.is_possible()) return task();
  std::packaged_task<std::invoke_result_t<Task&>()> packaged(std::move(task));
  auto result = packaged.get_future();
  std::thread(std::move(packaged)).detach();
  while (result.wait_for(kBetweenChecks) != std::future_status::ready) cancellation.check();
  return result.get();
}

}  // namespace headstart
