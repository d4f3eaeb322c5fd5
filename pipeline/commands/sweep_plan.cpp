// pipeline/commands/sweep_plan.cpp
#include "pipeline/commands/sweep_plan.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "data/dataset/counted.hpp"
#include "head/layers/solver.hpp"
#include "head/representation/dense_representation.hpp"
#include "head/workers.hpp"
#include "pipeline/process/console.hpp"
#include "pipeline/process/product_speed.hpp"
#include "pipeline/rows/pooled_memory.hpp"
#include "pipeline/rows/sweep_rows.hpp"

namespace headstart {
namespace {

// @param window  of flattened rows
SearchShape shape_of(const StageTwoSize& size, const TrainOptions& options, Pooling pooling,
                     std::size_t window) {
  const std::int64_t rows = size.images + size.views;
  const auto map = static_cast<std::int64_t>(size.shape.size());
  const double share = static_cast<double>(rows) / static_cast<double>(std::max<std::int64_t>(size.rows, 1));
  const std::int64_t columns = pooled_columns(pooling, map, size.shape.channels);
  return {.images = size.images,
          .rows = rows,
          .folds = options.sweep->folds,
          .columns = columns,
          .nonzeros = pooling == Pooling::kFlatten
                          ? static_cast<std::int64_t>(static_cast<double>(size.nonzeros) * share)
                          : rows * columns,
          .classes = size.classes,
          .batch = options.training.batch,
          .window = pooling == Pooling::kFlatten ? static_cast<std::int64_t>(window) : 0};
}

}  // namespace

SearchOptions search_options(const SweepOptions& options, double elapsed) {
  SearchOptions search;
  search.epochs = options.rounds;
  if (options.budget.share) search.tried = *options.budget.share;
  if (options.budget.seconds) search.seconds = std::max(0.0, *options.budget.seconds - elapsed);
  return search;
}

Candidate recipe_candidate(const TrainOptions& options) {
  const TrainingOptions recipe;
  return {{.pooling = options.representation.pooling}, recipe.hidden, 0.0, recipe.l2};
}

SweepPlan plan_sweep(const StageTwoSize& size, const TrainOptions& options) {
  const std::vector<Candidate> candidates = candidates_of(options.sweep->space);
  const std::int64_t allowed = bytes_for_rows();
  SweepPlan plan;
  for (const Candidate& candidate : candidates) plan.poolings.push_back(candidate.representation.pooling);
  const auto bytes_of = [&](const auto& is_meant) {
    std::vector<Pooling> meant;
    std::copy_if(plan.poolings.begin(), plan.poolings.end(), std::back_inserter(meant), is_meant);
    return sweep_rows_bytes(size.rows, size.nonzeros, size.shape.channels, meant);
  };
  const auto flattened = [](Pooling pooling) { return !is_dense(pooling); };
  const auto any = [](Pooling) { return true; };
  const bool flatten = std::any_of(plan.poolings.begin(), plan.poolings.end(), flattened);
  plan.poolings.push_back(recipe_candidate(options).representation.pooling);
  if (!flatten && bytes_of(any) > allowed) plan.poolings.pop_back();
  const std::int64_t of_pooled = bytes_of(is_dense);
  // Pooled rows leave half of the room to windows of flattened ones.
  if (of_pooled > (flatten ? allowed / 2 : allowed)) {
    plan.file_bytes = of_pooled;
    check_room_for_pooled_rows(of_pooled, options.out);
  }
  std::int64_t of_rows = bytes_of(any) - plan.file_bytes;
  if (flatten && of_rows > allowed) {
    // Two windows are in memory, and one of them may be there twice while it is scaled.
    const std::int64_t of_memory = of_pooled - plan.file_bytes;
    const std::int64_t of_windows = (allowed - of_memory) / 2;
    plan.window = rows_within(of_windows / 3, static_cast<std::size_t>(size.rows), bytes_of(flattened));
    of_rows = of_memory + of_windows;
  }
  plan.configurations = candidates.size();
  plan.gram_bytes = allowed - of_rows;
  const SearchOptions search = search_options(*options.sweep, 0.0);
  const auto images = static_cast<std::size_t>(size.images);
  plan.rounds = search_rounds(images, candidates.size(), search);
  const auto shape = [&](Pooling pooling) { return shape_of(size, options, pooling, plan.window); };
  plan.core_seconds = search_seconds(candidates, images, search, shape, plan.gram_bytes);
  const Candidate recipe = recipe_candidate(options);
  const Pooling of_recipe = recipe.representation.pooling;
  if (std::find(plan.poolings.begin(), plan.poolings.end(), of_recipe) != plan.poolings.end()) {
    const auto tried = static_cast<std::int64_t>(std::min(images, kMostRecipeImages));
    plan.core_seconds += search_cost(part_of_shape(shape(of_recipe), tried), std::span(&recipe, 1),
                                     TrainingOptions{}.epochs, plan.gram_bytes)
                             .seconds();
  }
  std::int64_t most = 0;
  for (const SearchRound& round : plan.rounds) {
    for (const Representation& representation : representations_of(candidates)) {
      std::vector<Candidate> own;
      std::copy_if(candidates.begin(), candidates.end(), std::back_inserter(own),
                   [&](const Candidate& candidate) { return candidate.representation == representation; });
      const SearchShape part =
          part_of_shape(shape(representation.pooling), static_cast<std::int64_t>(round.images));
      most = std::max(most, search_cost(part, own, round.epochs, plan.gram_bytes).bytes);
    }
  }
  plan.bytes = of_rows + most;
  return plan;
}

std::string describe(const SweepPlan& plan, const TrainOptions& options, int threads) {
  std::vector<std::size_t> images;
  for (const SearchRound& round : plan.rounds) {
    if (images.empty() || images.back() != round.images) images.push_back(round.images);
  }
  double seconds = plan.core_seconds / speed_of_a_thread(threads) / Workers(threads).threads();
  if (options.sweep->nested) seconds *= 1.0 + options.sweep->folds;
  if (options.sweep->budget.seconds) seconds = std::min(seconds, *options.sweep->budget.seconds);
  return fmt::format("search: {} of {} configurations on {} images: up to {} on {}, {} of memory{}",
                     plan.rounds.front().candidates, plan.configurations, fmt::join(images, ", "),
                     format_duration(seconds),
                     counted(static_cast<std::size_t>(Workers(threads).threads()), "thread", "threads"),
                     format_bytes(static_cast<std::uint64_t>(plan.bytes)), text_of_file(plan.file_bytes));
}

}  // namespace headstart
