// head/cancellation.hpp: how a long computation learns that nobody waits for its result any more. A value
// that is handed down: whoever gets none computes to the end.
#pragma once

#include <functional>
#include <stdexcept>
#include <utility>

namespace headstart {

/// Thrown out of a computation that was told to end.
struct Cancelled : std::runtime_error {
  Cancelled() : std::runtime_error("cancelled") {}
};

/// Whether a computation is to end: a value that is handed down with its arguments.
class Cancellation {
 public:
  /// Never.
  Cancellation() = default;
  /// @param requested  whether to end; asked often, by several threads at a time
  explicit Cancellation(std::function<bool()> requested) : requested_(std::move(requested)) {}

  /// Whether a request can ever come.
  [[nodiscard]] bool is_possible() const noexcept { return static_cast<bool>(requested_); }
  /// @throws Cancelled if it was requested
  void check() const {
    if (requested_ && requested_()) throw Cancelled();
  }

 private:
  std::function<bool()> requested_;
};

}  // namespace headstart
