// features/extraction/slot_pipeline.cpp
#include "features/extraction/slot_pipeline.hpp"

#include <tbb/global_control.h>
#include <tbb/info.h>
#include <tbb/parallel_pipeline.h>
#include <tbb/task_arena.h>

#include <atomic>
#include <optional>
#include <vector>

namespace headstart {
namespace {

/// Makes a thread's work before pass() visible to the thread that takes the baton next.
class Baton {
 public:
  void take() noexcept { (void)passed_.load(std::memory_order_acquire); }
  void pass() noexcept { passed_.fetch_add(1, std::memory_order_acq_rel); }

 private:
  std::atomic<unsigned> passed_{0};
};

/// Holds a baton for a scope, also if the scope ends by an exception.
class Holding {
 public:
  explicit Holding(Baton& baton) noexcept : baton_(baton) { baton_.take(); }
  ~Holding() { baton_.pass(); }
  Holding(const Holding&) = delete;
  Holding& operator=(const Holding&) = delete;

 private:
  Baton& baton_;
};

struct Slot {
  std::size_t number = 0;
  Baton baton;
};

/// A filter, and the baton that hands its state from one item to the next.
struct Station {
  const SlotFilter* filter = nullptr;
  Baton baton;

  Slot* run(Slot* slot) {
    const Holding item(slot->baton);
    if (filter->order == SlotFilter::Order::kSerial) {
      const Holding state(baton);
      filter->run(slot->number);
    } else {
      filter->run(slot->number);
    }
    return slot;
  }
};

tbb::filter_mode mode_of(const SlotFilter& filter) {
  return filter.order == SlotFilter::Order::kSerial ? tbb::filter_mode::serial_in_order
                                                    : tbb::filter_mode::parallel;
}

}  // namespace

std::size_t slot_threads(int threads) {
  const tbb::task_arena arena(threads > 0 ? threads : tbb::task_arena::automatic);
  return static_cast<std::size_t>(arena.max_concurrency());
}

void run_slots(int threads, std::size_t slots, const std::function<bool(std::size_t)>& begin,
               std::span<const SlotFilter> filters) {
  std::vector<Slot> ring(slots);
  for (std::size_t i = 0; i < slots; ++i) ring[i].number = i;
  std::vector<Station> stations(filters.size());
  Baton begun;
  std::size_t next = 0;

  auto chain =
      tbb::make_filter<void, Slot*>(tbb::filter_mode::serial_in_order, [&](tbb::flow_control& flow) -> Slot* {
        const Holding state(begun);
        Slot& slot = ring[next];
        const Holding item(slot.baton);
        if (!begin(slot.number)) {
          flow.stop();
          return nullptr;
        }
        next = (next + 1) % ring.size();
        return &slot;
      });
  for (std::size_t i = 0; i < filters.size(); ++i) {
    Station& station = stations[i];
    station.filter = &filters[i];
    chain = chain & tbb::make_filter<Slot*, Slot*>(mode_of(filters[i]),
                                                   [&station](Slot* slot) { return station.run(slot); });
  }
  const auto pipeline =
      chain & tbb::make_filter<Slot*, void>(tbb::filter_mode::serial_in_order, [](Slot*) {});

  for (Slot& slot : ring) slot.baton.pass();
  for (Station& station : stations) station.baton.pass();
  begun.pass();
  const auto take_all = [&] {
    for (Slot& slot : ring) slot.baton.take();
    for (Station& station : stations) station.baton.take();
    begun.take();
  };
  // oneTBB must be told to allow more threads than cores, or it warns and uses fewer.
  std::optional<tbb::global_control> allowance;
  if (threads > tbb::info::default_concurrency()) {
    allowance.emplace(tbb::global_control::max_allowed_parallelism, static_cast<std::size_t>(threads));
  }
  tbb::task_arena arena(static_cast<int>(slot_threads(threads)));
  try {
    arena.execute([&] { tbb::parallel_pipeline(slots, pipeline); });
  } catch (...) {
    take_all();
    throw;
  }
  take_all();
}

}  // namespace headstart
