// head/workers.cpp
#include "head/workers.hpp"

#include <oneapi/tbb/blocked_range.h>
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/info.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/partitioner.h>
#include <oneapi/tbb/task_arena.h>

#include <atomic>
#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "memory/flush_denormals.hpp"

namespace headstart {
namespace {

int concurrency(int threads) {
  if (threads < 0)
    throw std::invalid_argument("threads: found " + std::to_string(threads) + ", needed 0 or more");
  return threads == 0 ? tbb::task_arena::automatic : threads;
}

/// Orders memory: every share of the tasks sees the caller's writes, and the caller sees the writes of the
/// shares. oneTBB guarantees this order already. But ThreadSanitizer can't look into the library and would
/// report each access as a race. Shares are not ordered among each other, so that races among them are found.
class HandOver {
 public:
  HandOver() noexcept { given_.store(true, std::memory_order_release); }
  ~HandOver() { returned_.load(std::memory_order_acquire); }
  HandOver(const HandOver&) = delete;
  HandOver& operator=(const HandOver&) = delete;

  class Share {
   public:
    explicit Share(HandOver& whole) noexcept : whole_(whole) { whole.given_.load(std::memory_order_acquire); }
    ~Share() { whole_.returned_.fetch_add(1, std::memory_order_release); }
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;

   private:
    HandOver& whole_;
  };

 private:
  std::atomic<bool> given_{false};
  std::atomic<std::size_t> returned_{0};
};

}  // namespace

struct Workers::Arena {
  explicit Arena(int threads) : arena(concurrency(threads)) {
    // More threads than cores are given where the caller asks for them. TBB alone would stop at the number of
    // cores.
    if (threads > tbb::info::default_concurrency()) {
      more_than_cores.emplace(tbb::global_control::max_allowed_parallelism,
                              static_cast<std::size_t>(threads));
    }
  }
  std::optional<tbb::global_control> more_than_cores;
  tbb::task_arena arena;
};

Workers::Workers(int threads, Cancellation cancellation)
    : arena_(std::make_unique<Arena>(threads)), cancellation_(std::move(cancellation)) {}
Workers::~Workers() = default;

int Workers::threads() const noexcept { return arena_->arena.max_concurrency(); }

void Workers::for_each(std::size_t count, const std::function<void(std::size_t)>& task) {
  // One thread needs no arena: a task of another pool runs the tasks on its own thread.
  if (count == 1 || arena_->arena.max_concurrency() == 1) {
    const FlushDenormals flush;
    for (std::size_t i = 0; i < count; ++i) {
      cancellation_.check();
      task(i);
    }
    return;
  }
  HandOver hand_over;
  arena_->arena.execute([&] {
    tbb::parallel_for(
        tbb::blocked_range<std::size_t>(0, count),
        [&](const tbb::blocked_range<std::size_t>& range) {
          const HandOver::Share share(hand_over);
          const FlushDenormals flush;
          for (std::size_t i = range.begin(); i != range.end(); ++i) {
            cancellation_.check();
            task(i);
          }
        },
        tbb::static_partitioner());
  });
}

}  // namespace headstart
