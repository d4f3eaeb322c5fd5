// head/layers/process_group.hpp: processes that train one head together. head/ does not use MPI: the code
// that starts the processes provides an implementation.
#pragma once

#include <cstddef>
#include <span>

namespace headstart {

/// Every process calls the same functions in the same order with the same counts.
class ProcessGroup {
 public:
  virtual ~ProcessGroup() = default;

  /// The number of processes.
  [[nodiscard]] virtual int size() const noexcept = 0;
  /// This process's number, from 0.
  [[nodiscard]] virtual int rank() const noexcept = 0;

  /// Gathers the bytes of all processes, one after another in order of rank.
  /// @param own     [counts[rank()]]
  /// @param counts  [size()]: the number of bytes from each process
  /// @param all     [sum of counts]
  virtual void all_gather(std::span<const std::byte> own, std::span<const std::size_t> counts,
                          std::span<std::byte> all) = 0;
};

/// Whether `here` is true in any process. @param group  null: this process is alone
[[nodiscard]] bool any_process(ProcessGroup* group, bool here);

}  // namespace headstart
