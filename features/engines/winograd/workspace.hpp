// features/engines/winograd/workspace.hpp: memory that the convolutions of a network use in turn, and the
// threads that run them. Allocated before the first batch, so that running allocates nothing.
#pragma once

#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>
#include <tbb/task_group.h>

#include <algorithm>
#include <cstddef>
#include <vector>

#include "memory/aligned_floats.hpp"

namespace headstart::winograd {

/// The memory of a convolution besides its source and destination, in floats.
struct WorkspaceSize {
  std::size_t shared = 0;
  std::size_t per_thread = 0;
  std::size_t zeros = 0;  ///< a row of zeros

  void include(const WorkspaceSize& other) noexcept {
    shared = std::max(shared, other.shared);
    per_thread = std::max(per_thread, other.per_thread);
    zeros = std::max(zeros, other.zeros);
  }
};

class Workspace {
 public:
  /// Threads without memory: enough to open convolutions.
  explicit Workspace(int threads)
      : arena_(threads, 1, tbb::task_arena::priority::high), per_thread_(static_cast<std::size_t>(threads)) {}

  /// Allocates memory for everything that needs `size`. Call it once.
  void reserve(const WorkspaceSize& size) {
    shared_ = AlignedFloats(size.shared);
    zeros_ = AlignedFloats(size.zeros);
    std::ranges::fill(zeros_.span(), 0.0F);
    for (AlignedFloats& floats : per_thread_) floats = AlignedFloats(size.per_thread);
  }

  [[nodiscard]] std::size_t threads() const noexcept { return per_thread_.size(); }
  [[nodiscard]] float* shared() noexcept { return shared_.span().data(); }
  [[nodiscard]] const float* zeros() const noexcept { return zeros_.span().data(); }

  /// Runs `body` on this workspace's threads.
  template <class Body>
  void execute(const Body& body) {
    arena_.execute(body);
  }

  /// Calls body(task, scratch) for every task below `tasks`, in any order, inside of execute(). No result may
  /// depend on which thread took a task. All threads treat denormal numbers like the calling one.
  template <class Body>
  void for_each(std::size_t tasks, const Body& body) {
    tbb::task_group_context context(tbb::task_group_context::bound, tbb::task_group_context::default_traits |
                                                                        tbb::task_group_context::fp_settings);
    tbb::parallel_for(
        std::size_t{0}, tasks,
        [&](std::size_t task) {
          const auto slot = static_cast<std::size_t>(tbb::this_task_arena::current_thread_index());
          body(task, per_thread_[slot].span().data());
        },
        tbb::simple_partitioner(), context);
  }

 private:
  tbb::task_arena arena_;
  AlignedFloats shared_;
  AlignedFloats zeros_;
  std::vector<AlignedFloats> per_thread_;
};

}  // namespace headstart::winograd
