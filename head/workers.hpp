// head/workers.hpp: a fixed number of threads that share numbered tasks.
// Invariant: a task writes only to memory that no other task uses. So the result of a task does not depend on
// the thread.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "head/cancellation.hpp"

namespace headstart {

class Workers {
 public:
  /// @param threads       0: all that the process may use
  /// @param cancellation  checked before each task
  /// @throws std::invalid_argument if threads is negative
  explicit Workers(int threads, Cancellation cancellation = {});
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  [[nodiscard]] int threads() const noexcept;

  /// Runs task(0) ... task(count - 1), each once, in contiguous shares of equal length. Returns when all have
  /// ended. The tasks run with denormal numbers flushed (flush_denormals.hpp). Throws the first exception of
  /// a task, and Cancelled.
  void for_each(std::size_t count, const std::function<void(std::size_t)>& task);

 private:
  struct Arena;
  std::unique_ptr<Arena> arena_;
  Cancellation cancellation_;
};

}  // namespace headstart
