// head/search/search.hpp: finds the best of many candidates by cross-validation. By successive halving
// (Jamieson and Talwalkar 2016, arXiv 1502.07943), only the best candidates get more epochs and, of large
// sets, more images. The winner's accuracy is optimistic, because the winner was chosen by it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "head/matrix.hpp"
#include "head/representation/representation.hpp"
#include "head/search/cross_validation.hpp"
#include "memory/enum_names.hpp"

namespace headstart {

/// Every pooling.
[[nodiscard]] inline std::vector<Pooling> all_poolings() {
  constexpr auto values = named_values<Pooling>();
  return {values.begin(), values.end()};
}

/// The values that candidates combine: every combination, in this order. Flatten with standardize is left
/// out, because its rows would be dense.
struct SearchSpace {
  std::vector<Pooling> poolings = all_poolings();
  std::vector<Transform> transforms{Transform::kUnit, Transform::kScale, Transform::kStandardize};
  std::vector<std::vector<int>> hidden{{}, {256}};
  std::vector<double> rates{0.1, 0.3, 1.0, 3.0};
  std::vector<double> l2{1e-5, 1e-4, 1e-3};
};
[[nodiscard]] std::vector<Candidate> candidates_of(const SearchSpace& space);

/// One round of halving.
struct SearchRound {
  std::size_t images = 0;
  int epochs = 0;
  std::size_t candidates = 0;  ///< at most
};

struct SearchOptions {
  std::vector<int> epochs{8, 24, 72};  ///< of each round of halving, rising
  double kept = 1.0 / 3.0;             ///< share of the candidates that enter the next round
  /// Share of the candidates that are tried, drawn by the seed; the work is about this share of a whole
  /// search.
  double tried = 1.0;
  /// Seconds that the search may take; empty: as long as it needs. A round gets its share of the time, by
  /// the estimated work, and tries the candidates that it has time for, at least one.
  std::optional<double> seconds{};
  /// Gets the share of the estimated work that is done; it never falls. Called from one thread at a time.
  std::function<void(double share)> on_progress;
};

/// The rounds for this many images. Up to 1,000 images all take part in all rounds, with the epochs asked
/// for. The first round has at most 4,000 images, the last one all, and those between grow evenly. A round of
/// more than 8,000 images has fewer epochs in proportion, but at least five if as many are asked for.
[[nodiscard]] std::vector<SearchRound> search_rounds(std::size_t images, std::size_t candidates,
                                                     const SearchOptions& options);

/// How a representation was trained in a round.
struct RoundSolver {
  int round = 0;
  Representation representation;
  FoldSolver solver = FoldSolver::kGram;
};

struct SearchResult {
  std::vector<CandidateScore> scores;  ///< best first: by later round, then accuracy, then cross-entropy
  std::vector<Candidate> not_tried;    ///< for want of time
  std::vector<SearchRound> rounds;     ///< as they were
  std::vector<RoundSolver> solvers;
  Matrix out_of_fold;  ///< logits of the best candidate, [rows.size(), classes]; empty if it diverged
};

/// The estimated seconds on one core of a whole search, without a limit of time, if the costliest candidates
/// go on: an upper bound as far as the estimated speed is right.
/// @param shape_of  the sizes of all rows for a pooling
[[nodiscard]] double search_seconds(std::span<const Candidate> candidates, std::size_t images,
                                    const SearchOptions& options,
                                    const std::function<SearchShape(Pooling pooling)>& shape_of,
                                    std::int64_t memory);

/// The same problem, candidates and options give the same result, for any number of threads and processes,
/// unless there is a limit of time.
/// @param training  every option that is not part of a candidate. Its processes share the work out.
/// @param memory    bytes that Gram matrices may take
/// @throws std::invalid_argument for rounds that do not rise, a share outside (0, 1], or no candidate;
/// Cancelled
[[nodiscard]] SearchResult search(const SearchProblem& problem, std::span<const Candidate> candidates,
                                  const TrainingOptions& training, const SearchOptions& options,
                                  std::int64_t memory, const Cancellation& cancellation = {});

}  // namespace headstart
