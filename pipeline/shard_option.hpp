// pipeline/shard_option.hpp: --shard K/N, and what launchers say when it isn't given.
// Surprise: a Slurm batch script has SLURM_PROCID and SLURM_NTASKS as well, though it is no task among
// several; what tells them apart is SLURM_STEP_ID, which only tasks of a step (srun) have.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "data/shard.hpp"

namespace headstart {

/// "3/8" (0/8 to 7/8), or "none" for the whole. Nothing for anything else.
[[nodiscard]] std::optional<Shard> parse_shard(const std::string& text);

/// The value of an environment variable, or null.
using Environment = std::function<const char*(const char* name)>;

/// A shard, and who says so.
struct ChosenShard {
  Shard shard;
  std::string reason;  ///< "--shard", or the variables: "SLURM_PROCID=3 of SLURM_STEP_NUM_TASKS=8"
};

/// Whether the processes of one mpirun take shards, or share out what they have in common.
enum class RanksTake { kShards, kCommonWork };

/// The shard of this process by its launchers, the inner one within the outer one: a task (Open MPI's mpirun,
/// else MPICH's mpiexec, else Slurm's srun) of an array (a Slurm job array, else a Kubernetes indexed job).
/// Shard 0/1 without a launcher.
///
/// Open MPI: OMPI_COMM_WORLD_RANK, _SIZE. MPICH: PMI_RANK, PMI_SIZE. srun: SLURM_PROCID and
/// SLURM_STEP_NUM_TASKS, else SLURM_NTASKS. Job array: SLURM_ARRAY_TASK_ID, _COUNT, _MIN, _MAX: indices in
/// even steps. Kubernetes: JOB_COMPLETION_INDEX, and JOB_COMPLETIONS, which the job has to set to its
/// completions.
/// @throws Error kUsage where they contradict themselves, or where a count is missing
[[nodiscard]] ChosenShard shard_of_launch(const Environment& environment, RanksTake ranks);

}  // namespace headstart
