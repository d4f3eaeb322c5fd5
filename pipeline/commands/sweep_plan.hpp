// pipeline/commands/sweep_plan.hpp: what a search will cost, in memory and time, told before stage one
// begins.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "head/search/search.hpp"
#include "pipeline/commands/stage_two_size.hpp"
#include "pipeline/options/training_options.hpp"

namespace headstart {

struct SweepPlan {
  std::vector<SearchRound> rounds;
  std::size_t configurations = 0;
  /// Estimated, if the costliest configurations go on; of a core as fast as in docs/head-solvers.md.
  double core_seconds = 0.0;
  /// Of memory: rows + Gram matrices + weights and velocities of the heads that train at a time.
  std::int64_t bytes = 0;
  std::int64_t file_bytes = 0;      ///< of pooled rows that do not fit in memory; 0: they do
  std::int64_t gram_bytes = 0;      ///< that Gram matrices may take
  std::vector<Pooling> poolings{};  ///< of the rows
  std::size_t window = 0;           ///< flattened rows in memory at a time; 0: all
};

/// On how many images train's defaults are tried at most, to be compared with.
inline constexpr std::size_t kMostRecipeImages = 4000;

/// train's defaults as a candidate, to be compared with; its rate depends on the rows. Rows that come pooled
/// from a file stay so.
[[nodiscard]] Candidate recipe_candidate(const TrainOptions& options);

/// Flattened rows that do not fit are read a window at a time. Those of train's defaults are kept as well, if
/// they fit. Pooled rows that do not fit are in a file beside OUT.
/// @throws Error kData if its disk has no room, with the remedy
[[nodiscard]] SweepPlan plan_sweep(const StageTwoSize& size, const TrainOptions& options);

/// The options of head/'s search. @param elapsed  seconds of the budget that are spent already
[[nodiscard]] SearchOptions search_options(const SweepOptions& options, double elapsed);

/// "72 configurations on 1000, 2828 and 8000 images: up to 3m 10s on 2 threads, 1.2 GB". The time is that of
/// this machine, by the speed of a short product now.
[[nodiscard]] std::string describe(const SweepPlan& plan, const TrainOptions& options, int threads);

}  // namespace headstart
