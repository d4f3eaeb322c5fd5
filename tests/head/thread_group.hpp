// tests/head/thread_group.hpp: a ProcessGroup whose processes are threads of this one.
#pragma once

#include <algorithm>
#include <barrier>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <thread>
#include <vector>

#include "head/layers/process_group.hpp"

namespace headstart::test {

class ThreadGroup final : public ProcessGroup {
 public:
  struct Meeting {
    explicit Meeting(int size) : barrier(size), given(static_cast<std::size_t>(size)) {}
    std::barrier<> barrier;
    std::vector<std::span<const std::byte>> given;
  };
  ThreadGroup(std::shared_ptr<Meeting> meeting, int rank) : meeting_(std::move(meeting)), rank_(rank) {}

  [[nodiscard]] int size() const noexcept override { return static_cast<int>(meeting_->given.size()); }
  [[nodiscard]] int rank() const noexcept override { return rank_; }
  void all_gather(std::span<const std::byte> own, std::span<const std::size_t> counts,
                  std::span<std::byte> all) override {
    if (own.size() != counts[static_cast<std::size_t>(rank_)])
      throw std::logic_error("all_gather: wrong count");
    meeting_->given[static_cast<std::size_t>(rank_)] = own;
    meeting_->barrier.arrive_and_wait();
    auto to = all.begin();
    for (const std::span<const std::byte> part : meeting_->given)
      to = std::copy(part.begin(), part.end(), to);
    if (to != all.end()) throw std::logic_error("all_gather: wrong total");
    meeting_->barrier.arrive_and_wait();
  }

 private:
  std::shared_ptr<Meeting> meeting_;
  int rank_;
};

/// Runs process(group) once for each of `size` processes at the same time.
inline void run_processes(int size, const std::function<void(ProcessGroup&)>& process) {
  auto meeting = std::make_shared<ThreadGroup::Meeting>(size);
  std::vector<std::jthread> threads;
  for (int rank = 0; rank < size; ++rank) {
    threads.emplace_back([&, rank] {
      ThreadGroup group(meeting, rank);
      process(group);
    });
  }
}

}  // namespace headstart::test
