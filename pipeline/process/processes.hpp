// pipeline/process/processes.hpp: the processes that mpirun started together, as a ProcessGroup for head/.
// MPI is optional at build time and is used only in processes_mpi.cpp; processes_none.cpp is the replacement.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "head/layers/process_group.hpp"
#include "pipeline/process/shared_work.hpp"

namespace headstart {

/// A group that can also share work out, and fail together. The destructor leaves the group. If only this
/// process failed, the destructor ends all processes of the group.
class Processes : public ProcessGroup {
 public:
  /// Shares out `items`: processes get them as they ask for them. All processes call it with the same number,
  /// and one call ends before the next begins. If a process is lost meanwhile, afterwards only all_fail() and
  /// the destructor may be called.
  [[nodiscard]] virtual std::unique_ptr<SharedWork> share_work(std::uint64_t items) = 0;

  /// Call this when this process fails.
  /// @return whether every remaining process fails within two seconds, as all do for an error in their common
  /// data and options. If not, the destructor ends the others, which wait for this one.
  [[nodiscard]] virtual bool all_fail() = 0;
};

/// The number of processes, this one included, that an MPI launcher says it started; 1 if there is no
/// launcher.
[[nodiscard]] int launched_processes();

/// Joins these processes. @return null for a process alone
/// @throws Error kUsage if this build has no MPI
[[nodiscard]] std::unique_ptr<Processes> join_processes();

/// Whether Open MPI's mpirun has started others with this process, and this build can join them to share work
/// out. (Under srun or other launchers each process takes its own shard instead: shard_option.hpp.)
[[nodiscard]] bool can_share_work();

/// For `headstart info`: the MPI library, or the reason why there is none.
[[nodiscard]] std::string describe_mpi();

}  // namespace headstart
