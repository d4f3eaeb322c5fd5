// head/process_group.hpp: processes that train one head together. head/ knows no MPI: who starts the
// processes brings an implementation.
#pragma once

#include <cstddef>
#include <span>

namespace headstart {

/// Every process calls the same functions in the same order with the same counts.
class ProcessGroup {
 public:
  virtual ~ProcessGroup() = default;

  /// How many processes there are.
  [[nodiscard]] virtual int size() const noexcept = 0;
  /// This process's number, from 0.
  [[nodiscard]] virtual int rank() const noexcept = 0;

  /// Everybody's bytes one after another, by rank.
  /// @param own     [counts[rank()]]
  /// @param counts  [size()]: bytes of each process
  /// @param all     [sum of counts]
  virtual void all_gather(std::span<const std::byte> own, std::span<const std::size_t> counts,
                          std::span<std::byte> all) = 0;
};

/// Whether any process says so. @param group  null: this process is alone
[[nodiscard]] bool any_process(ProcessGroup* group, bool here);

}  // namespace headstart
