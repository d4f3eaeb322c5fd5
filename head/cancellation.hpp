// head/cancellation.hpp: tells a long computation that nobody waits for its result any more. A caller passes
// a Cancellation by value; a function that gets none computes to the end.
#pragma once

#include <functional>
#include <stdexcept>
#include <utility>

namespace headstart {

/// Thrown by a computation that was asked to stop.
struct Cancelled : std::runtime_error {
  Cancelled() : std::runtime_error("cancelled") {}
};

/// Says whether a computation should stop. A Cancellation is passed by value with the arguments.
class Cancellation {
 public:
  /// Never stops the computation.
  Cancellation() = default;
  /// @param requested  whether to stop; called often, by several threads at a time
  explicit Cancellation(std::function<bool()> requested) : requested_(std::move(requested)) {}

  /// Whether a request can ever come.
  [[nodiscard]] bool is_possible() const noexcept { return static_cast<bool>(requested_); }
  /// @throws Cancelled if a stop was requested
  void check() const {
    if (requested_ && requested_()) throw Cancelled();
  }

 private:
  std::function<bool()> requested_;
};

}  // namespace headstart
