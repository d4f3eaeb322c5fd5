// features/slot_pipeline.hpp: items through a chain of filters on many threads, in a fixed number of slots.
// Invariant: an item keeps its slot from the first filter to the last, so the slots bound the memory; serial
// filters see the items in the order in which they were begun, one at a time.
// Surprise: each hand-over goes through an atomic although oneTBB orders it already: ThreadSanitizer can't
// see into the uninstrumented library, and this way its reports about our filters need no suppression.
#pragma once

#include <cstddef>
#include <functional>
#include <span>

namespace headstart {

struct SlotFilter {
  enum class Order { kSerial, kParallel };
  Order order;
  std::function<void(std::size_t slot)> run;
};

/// Threads that run_slots() will use: `threads`, or all that the process may use if it is 0.
[[nodiscard]] std::size_t slot_threads(int threads);

/// Runs items through `filters` until `begin` says that there are no more. A slot is used again once its item
/// has left the last filter, which has to be serial.
/// @param slots  0..slots-1 are given out in turn
/// @param begin  puts the next item into a slot; false: there is none. Serial
/// @throws what a filter throws, the first if there are several; the others finish what they are at, and
/// items
///         that are still on their way are dropped
void run_slots(int threads, std::size_t slots, const std::function<bool(std::size_t slot)>& begin,
               std::span<const SlotFilter> filters);

}  // namespace headstart
