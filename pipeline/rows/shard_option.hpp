// pipeline/rows/shard_option.hpp: the shard that launchers say if --shard isn't given. Surprise: a Slurm
// batch script has SLURM_PROCID and SLURM_NTASKS, too, though it is not one task among several. Only tasks of
// a step (srun) have SLURM_STEP_ID.
#pragma once

#include <functional>
#include <string>

#include "data/dataset/shard.hpp"

namespace headstart {

/// The value of an environment variable, or null.
using Environment = std::function<const char*(const char* name)>;

/// A shard and its origin.
struct ChosenShard {
  Shard shard;
  std::string reason;  ///< "--shard", or the variables: "SLURM_PROCID=3 of SLURM_STEP_NUM_TASKS=8"
};

/// Whether the processes of one mpirun take shards or share common work.
enum class RanksTake { kShards, kCommonWork };

/// The shard of this process by its launchers: the shard of the inner launcher within that of the outer one.
/// The inner one starts tasks (Open MPI's mpirun, else MPICH's mpiexec, else Slurm's srun). The outer one
/// starts an array (a Slurm job array, else a Kubernetes indexed job). Shard 0/1 without a launcher.
///
/// Open MPI: OMPI_COMM_WORLD_RANK, _SIZE. MPICH: PMI_RANK, PMI_SIZE. srun: SLURM_PROCID and
/// SLURM_STEP_NUM_TASKS, else SLURM_NTASKS. Job array: SLURM_ARRAY_TASK_ID, _COUNT, _MIN, _MAX: indices in
/// even steps. Kubernetes: JOB_COMPLETION_INDEX, and JOB_COMPLETIONS, which the job has to set to its
/// completions.
/// @throws Error kUsage if the variables contradict each other, or if a count is missing
[[nodiscard]] ChosenShard shard_of_launch(const Environment& environment, RanksTake ranks);

}  // namespace headstart
