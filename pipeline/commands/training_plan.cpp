// pipeline/commands/training_plan.cpp
#include "pipeline/commands/training_plan.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "data/dataset/counted.hpp"
#include "head/layers/dense_weights.hpp"
#include "head/representation/dense_representation.hpp"
#include "head/workers.hpp"
#include "pipeline/process/console.hpp"
#include "pipeline/process/product_speed.hpp"
#include "pipeline/rows/pooled_memory.hpp"

namespace headstart {

TrainingPlan plan_training(const StageTwoSize& size, const TrainOptions& options) {
  const bool dense = is_dense(options.representation.pooling);
  const std::int64_t columns = pooled_columns(
      options.representation.pooling, static_cast<std::int64_t>(size.shape.size()), size.shape.channels);
  const TrainingOptions& training = options.training;
  const TrainingShape shape{.rows = size.rows,
                            .training = size.images + size.views,
                            .columns = columns,
                            .nonzeros = dense ? size.rows * columns : size.nonzeros,
                            .width = training.hidden.empty() ? size.classes : training.hidden.front(),
                            .batch = training.batch,
                            .epochs = training.epochs,
                            .l2 = training.l2 > 0.0,
                            .dense = dense};
  const std::int64_t of_rows = dense ? 4 * size.rows * columns : 8 * size.nonzeros;
  const bool fits = of_rows <= bytes_for_rows();
  TrainingPlan plan;
  plan.solver = training.solver;
  if (plan.solver == Solver::kAuto)
    plan.solver = fits && options.window == 0 ? choose_solver(shape, available_memory()) : Solver::kPrimal;
  plan.core_seconds = plan.solver == Solver::kGram ? gram_cost(shape) : primal_cost(shape);
  if (dense && !fits) {
    plan.file_bytes = of_rows;
    check_room_for_pooled_rows(of_rows, options.out);
  }
  // Of flattened rows that do not fit, windows take what is allowed.
  plan.bytes = dense && !fits ? 0 : std::min(of_rows, bytes_for_rows());
  if (dense && plan.solver == Solver::kPrimal)
    plan.most_threads = static_cast<int>(dense_slabs(columns, shape.width));
  plan.bytes += plan.solver == Solver::kGram ? gram_bytes(shape) : 8 * shape.columns * shape.width;
  return plan;
}

std::string describe(const TrainingPlan& plan, const TrainOptions& options, int threads) {
  const int used = std::min(Workers(threads).threads(), plan.most_threads);
  return fmt::format("training: {} solver, {} epochs: about {} on {}, {} of memory{}", to_string(plan.solver),
                     options.training.epochs,
                     format_duration(plan.core_seconds / speed_of_a_thread(threads) / used),
                     counted(static_cast<std::size_t>(used), "thread", "threads"),
                     format_bytes(static_cast<std::uint64_t>(plan.bytes)), text_of_file(plan.file_bytes));
}

}  // namespace headstart
