// pipeline/processes.hpp: the processes that mpirun started together, as head/'s ProcessGroup. MPI is
// optional at build time and appears in processes_mpi.cpp only; processes_none.cpp stands in for it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "head/process_group.hpp"
#include "pipeline/shared_work.hpp"

namespace headstart {

/// A group that can also share work out, and fail together. Its destructor leaves the group, or ends all
/// processes of it after a failure of this one alone.
class Processes : public ProcessGroup {
 public:
  /// `items` that are given out as processes ask for them. To be called by all, with the same number, and
  /// once at a time. If a process is lost meanwhile, only all_fail() and the destructor may be called
  /// afterwards.
  [[nodiscard]] virtual std::unique_ptr<SharedWork> share_work(std::uint64_t items) = 0;

  /// To be called when this process fails.
  /// @return whether every process that is left fails within two seconds, as they do about the same data and
  /// options; if not, the destructor ends the others, which wait for this one
  [[nodiscard]] virtual bool all_fail() = 0;
};

/// How many processes an MPI launcher says that it has started with this one, 1 if there is none.
[[nodiscard]] int launched_processes();

/// Joins them. @return null for a process alone
/// @throws Error kUsage if this build has no MPI
[[nodiscard]] std::unique_ptr<Processes> join_processes();

/// Whether Open MPI's mpirun has started others with this process, and this build can join them to share work
/// out. (Under srun or other launchers each takes a shard of its own instead: shard_option.hpp.)
[[nodiscard]] bool can_share_work();

/// For `headstart info`: the MPI library, or what is missing.
[[nodiscard]] std::string describe_mpi();

}  // namespace headstart
