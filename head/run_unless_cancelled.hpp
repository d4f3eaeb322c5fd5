// head/run_unless_cancelled.hpp: a way out of computations that look at nothing while they run, such as the
// eigendecompositions of a library.
#pragma once

#include <chrono>
#include <future>
#include <thread>
#include <type_traits>
#include <utility>

#include "head/cancellation.hpp"

namespace headstart {

/// What `task` returns. Where a request is possible the task runs on a thread of its own, which is left to
/// itself after one: so the task must own all that it works on.
/// @throws Cancelled; what the task throws
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
