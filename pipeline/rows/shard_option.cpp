// pipeline/rows/shard_option.cpp
#include "pipeline/rows/shard_option.hpp"

#include <fmt/format.h>

#include <cstdint>

#include "data/error.hpp"

namespace headstart {
namespace {

[[noreturn]] void cannot_tell(const std::string& why) {
  throw Error{Error::Kind::kUsage, "cannot tell which shard of the dataset this process takes", why,
              "pass --shard K/N, or --shard none for all of it"};
}

/// The number in the variable; empty if it is not set. @throws Error if it is not a number
std::optional<std::uint64_t> number_in(const Environment& environment, const char* name) {
  const char* const text = environment(name);
  if (text == nullptr) return std::nullopt;
  const auto number = parse_shard_number(text);
  if (!number) cannot_tell(fmt::format("{} is '{}'", name, printable(text)));
  return number;
}

struct Variables {
  const char* index;
  const char* count;
};

/// The shard; empty unless both variables are set. @throws Error if the index is not below the count
std::optional<ChosenShard> pair_in(const Environment& environment, const Variables& names) {
  if (environment(names.index) == nullptr || environment(names.count) == nullptr) return std::nullopt;
  const std::uint64_t index = *number_in(environment, names.index);
  const std::uint64_t count = *number_in(environment, names.count);
  std::string reason = fmt::format("{}={} of {}={}", names.index, index, names.count, count);
  if (index >= count) cannot_tell(reason);
  return ChosenShard{{index, count}, std::move(reason)};
}

std::optional<ChosenShard> task(const Environment& environment, RanksTake ranks) {
  static constexpr Variables kOpenMpi{"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"};
  static constexpr Variables kMpich{"PMI_RANK", "PMI_SIZE"};
  if (ranks == RanksTake::kCommonWork) return std::nullopt;
  if (auto shard = pair_in(environment, kOpenMpi)) return shard;
  // MPICH before Slurm: for mpiexec inside a job, Slurm's variables are those of the step that started
  // mpiexec.
  if (auto shard = pair_in(environment, kMpich)) return shard;
  const auto is_set = [&](const char* name) { return environment(name) != nullptr; };
  if (is_set("SLURM_JOB_ID") && !is_set("SLURM_STEP_ID")) return std::nullopt;  // a batch script
  const char* const tasks = is_set("SLURM_STEP_NUM_TASKS") ? "SLURM_STEP_NUM_TASKS" : "SLURM_NTASKS";
  return pair_in(environment, {"SLURM_PROCID", tasks});
}

/// The shard in `--array=FIRST-LAST:STEP`, for any FIRST and STEP.
std::optional<ChosenShard> job_array(const Environment& environment) {
  const auto id = number_in(environment, "SLURM_ARRAY_TASK_ID");
  const auto count = number_in(environment, "SLURM_ARRAY_TASK_COUNT");
  if (!id || !count) return std::nullopt;
  if (*count == 1) return ChosenShard{};
  const std::uint64_t first = number_in(environment, "SLURM_ARRAY_TASK_MIN").value_or(0);
  const std::uint64_t last = number_in(environment, "SLURM_ARRAY_TASK_MAX").value_or(first + *count - 1);
  std::string reason =
      fmt::format("SLURM_ARRAY_TASK_ID={} in {} to {}, SLURM_ARRAY_TASK_COUNT={}", *id, first, last, *count);
  // If the count is right for even steps between first and last, the array has all these indices. In other
  // arrays at least one index is not a multiple of the step.
  const bool fits = *count > 1 && first <= *id && *id <= last && (last - first) % (*count - 1) == 0;
  const std::uint64_t step = fits ? (last - first) / (*count - 1) : 0;
  if (step == 0 || (*id - first) % step != 0)
    cannot_tell(reason + ": the array's indices are not in even steps");
  return ChosenShard{{(*id - first) / step, *count}, std::move(reason)};
}

std::optional<ChosenShard> indexed_job(const Environment& environment) {
  const auto index = number_in(environment, "JOB_COMPLETION_INDEX");
  if (!index) return std::nullopt;
  if (environment("JOB_COMPLETIONS") == nullptr) {
    cannot_tell(fmt::format(
        "JOB_COMPLETION_INDEX={}, and Kubernetes does not say of how many: set JOB_COMPLETIONS to "
        "the job's completions",
        *index));
  }
  return pair_in(environment, {"JOB_COMPLETION_INDEX", "JOB_COMPLETIONS"});
}

}  // namespace

ChosenShard shard_of_launch(const Environment& environment, RanksTake ranks) {
  std::optional<ChosenShard> outer = job_array(environment);
  if (!outer) outer = indexed_job(environment);
  const std::optional<ChosenShard> inner = task(environment, ranks);
  ChosenShard chosen;
  for (const auto& part : {outer, inner}) {
    if (!part || part->shard.is_whole()) continue;
    chosen.shard.index = chosen.shard.index * part->shard.count + part->shard.index;
    chosen.shard.count *= part->shard.count;
    chosen.reason += (chosen.reason.empty() ? "" : ", ") + part->reason;
  }
  return chosen;
}

}  // namespace headstart
