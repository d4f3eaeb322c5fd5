// features/extraction/slot_pipeline.hpp: sends items through a chain of filters on many threads, in a fixed
// number of slots. Invariant: an item keeps its slot from the first filter to the last, so the slots limit
// the memory. A serial filter sees one item at a time, in the order in which the items began. Note: each
// hand-over uses an atomic, although oneTBB already orders it. ThreadSanitizer can't see into the
// uninstrumented library. With the atomic, its reports about our filters need no suppression.
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

/// How many threads run_slots() will use: `threads`, or all that the process may use if it is 0.
[[nodiscard]] std::size_t slot_threads(int threads);

/// Runs items through `filters` until `begin` returns false. A slot is used again once its item has left the
/// last filter, which has to be serial.
/// @param slots  0..slots-1 are used in turn
/// @param begin  puts the next item into a slot; false: there is none. Called serially
/// @throws the exception of a filter, the first if there are several. Other filters finish their current
/// item; unfinished items are dropped
void run_slots(int threads, std::size_t slots, const std::function<bool(std::size_t slot)>& begin,
               std::span<const SlotFilter> filters);

}  // namespace headstart
