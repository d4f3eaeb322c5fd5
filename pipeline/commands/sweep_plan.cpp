// pipeline/commands/sweep_plan.cpp
#include "pipeline/commands/sweep_plan.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>

#include "data/error.hpp"
#include "head/layers/dense_product.hpp"
#include "head/layers/solver.hpp"
#include "head/representation/dense_representation.hpp"
#include "head/workers.hpp"
#include "pipeline/process/console.hpp"
#include "pipeline/rows/sweep_rows.hpp"

namespace headstart {
namespace {

// How many times faster one thread multiplies than the formulas assume, with all threads at work.
double speed_of_a_thread(int threads) {
  using Clock = std::chrono::steady_clock;
  constexpr Eigen::Index kRows = 192;
  constexpr Eigen::Index kInner = 512;
  constexpr Eigen::Index kColumns = 256;
  constexpr double kFlops = 2.0 * kRows * kInner * kColumns;
  Workers workers(threads);
  std::vector<double> fastest(static_cast<std::size_t>(workers.threads()), 1e9);
  workers.for_each(fastest.size(), [&](std::size_t thread) {
    const Matrix a = Matrix::Constant(kRows, kInner, 1.0F);
    const Matrix b = Matrix::Constant(kInner, kColumns, 1.0F);
    Matrix c = Matrix::Zero(kRows, kColumns);
    for (int repetition = 0; repetition < 10; ++repetition) {
      const auto start = Clock::now();
      add_product(a, b, c);
      fastest[thread] =
          std::min(fastest[thread], std::chrono::duration<double>(Clock::now() - start).count());
    }
  });
  return kFlops / *std::max_element(fastest.begin(), fastest.end()) / kDenseFlops;
}

// @param window  of flattened rows
SearchShape shape_of(const SweepSize& size, const TrainOptions& options, Pooling pooling,
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

std::int64_t expected_nonzeros(std::int64_t rows, MapShape shape) noexcept {
  return rows * static_cast<std::int64_t>(shape.size()) / 7;
}

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

SweepPlan plan_sweep(const SweepSize& size, const TrainOptions& options) {
  const std::vector<Candidate> candidates = candidates_of(options.sweep->space);
  const std::int64_t allowed = available_memory() / 5 * 2;
  SweepPlan plan;
  for (const Candidate& candidate : candidates) plan.poolings.push_back(candidate.representation.pooling);
  const auto bytes_of_rows = [&] {
    return sweep_rows_bytes(size.rows, size.nonzeros, size.shape.channels, plan.poolings);
  };
  const auto flattened = [](Pooling pooling) { return !is_dense(pooling); };
  const bool flatten = std::any_of(plan.poolings.begin(), plan.poolings.end(), flattened);
  plan.poolings.push_back(recipe_candidate(options).representation.pooling);
  if (!flatten && bytes_of_rows() > allowed) plan.poolings.pop_back();
  std::int64_t of_rows = bytes_of_rows();
  if (flatten && of_rows > allowed) {
    const std::int64_t of_flattened =
        sweep_rows_bytes(size.rows, size.nonzeros, size.shape.channels, std::vector{Pooling::kFlatten});
    of_rows -= of_flattened;
    // Two windows are in memory, and one of them may be there twice while it is scaled.
    const std::int64_t of_windows = (allowed - of_rows) / 2;
    if (of_windows > 0)
      plan.window = rows_within(of_windows / 3, static_cast<std::size_t>(size.rows), of_flattened);
    of_rows += std::max<std::int64_t>(of_windows, 0);
  }
  if (of_rows > allowed) {
    throw Error{Error::Kind::kData, "cannot sweep the dataset",
                fmt::format("{} rows take {}, and {} are allowed", size.rows,
                            format_bytes(static_cast<std::uint64_t>(of_rows)),
                            format_bytes(static_cast<std::uint64_t>(allowed))),
                "try fewer --poolings, or a part of the images"};
  }
  plan.configurations = candidates.size();
  plan.gram_bytes = allowed - of_rows;
  const SearchOptions search = search_options(*options.sweep, 0.0);
  const auto images = static_cast<std::size_t>(size.images);
  plan.rounds = search_rounds(images, candidates.size(), search);
  const auto shape = [&](Pooling pooling) { return shape_of(size, options, pooling, plan.window); };
  plan.core_seconds = search_seconds(candidates, images, search, shape, plan.gram_bytes);
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
  return fmt::format("search: {} of {} configurations on {} images: about {} on {} threads, {} of memory",
                     plan.rounds.front().candidates, plan.configurations, fmt::join(images, ", "),
                     format_duration(seconds), Workers(threads).threads(),
                     format_bytes(static_cast<std::uint64_t>(plan.bytes)));
}

}  // namespace headstart
