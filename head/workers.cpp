// head/workers.cpp
#include "head/workers.hpp"

#include <oneapi/tbb/blocked_range.h>
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/info.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/partitioner.h>
#include <oneapi/tbb/task_arena.h>

#include <optional>
#include <stdexcept>
#include <string>

#include "memory/flush_denormals.hpp"

namespace headstart {
namespace {

int concurrency(int threads) {
  if (threads < 0)
    throw std::invalid_argument("threads: found " + std::to_string(threads) + ", needed 0 or more");
  return threads == 0 ? tbb::task_arena::automatic : threads;
}

}  // namespace

struct Workers::Arena {
  explicit Arena(int threads) : arena(concurrency(threads)) {
    // More threads than cores are given where they are asked for: TBB alone would stop at the number of
    // cores.
    if (threads > tbb::info::default_concurrency()) {
      more_than_cores.emplace(tbb::global_control::max_allowed_parallelism,
                              static_cast<std::size_t>(threads));
    }
  }
  std::optional<tbb::global_control> more_than_cores;
  tbb::task_arena arena;
};

Workers::Workers(int threads) : arena_(std::make_unique<Arena>(threads)) {}
Workers::~Workers() = default;

int Workers::threads() const noexcept { return arena_->arena.max_concurrency(); }

void Workers::for_each(std::size_t count, const std::function<void(std::size_t)>& task) {
  // One thread needs no arena: a task of another pool runs these right here.
  if (count == 1 || arena_->arena.max_concurrency() == 1) {
    const FlushDenormals flush;
    for (std::size_t i = 0; i < count; ++i) task(i);
    return;
  }
  arena_->arena.execute([&] {
    tbb::parallel_for(
        tbb::blocked_range<std::size_t>(0, count),
        [&](const tbb::blocked_range<std::size_t>& share) {
          const FlushDenormals flush;
          for (std::size_t i = share.begin(); i != share.end(); ++i) task(i);
        },
        tbb::static_partitioner());
  });
}

}  // namespace headstart
