// head/workers.hpp: a fixed number of threads that share numbered tasks.
// Invariant: which thread runs a task never changes what the task computes; a task owns what it writes.
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

  /// Runs task(0) ... task(count - 1), each once, in contiguous shares of equal length; returns when all have
  /// ended. Denormal numbers are flushed meanwhile (flush_denormals.hpp). The first exception of a task comes
  /// out here, and so does Cancelled.
  void for_each(std::size_t count, const std::function<void(std::size_t)>& task);

 private:
  struct Arena;
  std::unique_ptr<Arena> arena_;
  Cancellation cancellation_;
};

}  // namespace headstart
