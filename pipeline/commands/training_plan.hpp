// pipeline/commands/training_plan.hpp: what the training of one head will cost, in memory and time, told
// before stage one begins.
#pragma once

#include <cstdint>
#include <limits>
#include <string>

#include "head/layers/solver.hpp"
#include "pipeline/commands/stage_two_size.hpp"
#include "pipeline/options/training_options.hpp"

namespace headstart {

struct TrainingPlan {
  Solver solver = Solver::kPrimal;
  double core_seconds = 0.0;  ///< estimated; of a core as fast as in docs/head-solvers.md
  int most_threads = std::numeric_limits<int>::max();  ///< that can share a step
  std::int64_t bytes = 0;                              ///< of memory: rows, and what the solver adds
  std::int64_t file_bytes = 0;  ///< of pooled rows that do not fit in memory; 0: they do
};

/// @throws Error kData if pooled rows do not fit, and the disk of OUT has no room for them
[[nodiscard]] TrainingPlan plan_training(const StageTwoSize& size, const TrainOptions& options);

/// A text like "training: gram solver, 10 epochs: about 3.1 s on 2 threads, 210 MB of memory". The time is
/// that of this machine, by the speed of a short product now.
[[nodiscard]] std::string describe(const TrainingPlan& plan, const TrainOptions& options, int threads);

}  // namespace headstart
