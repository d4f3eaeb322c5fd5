// head/search.hpp: the best of many candidates by cross-validation; successive halving (Jamieson and
// Talwalkar 2016, arXiv 1502.07943) gives the epochs to who deserves them. The winner's accuracy is
// optimistic, because it was picked for it.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "head/cross_validation.hpp"
#include "head/matrix.hpp"
#include "head/representation.hpp"

namespace headstart {

/// What candidates are made of: every combination, in this order, but flatten with standardize, whose rows
/// would be dense.
struct SearchSpace {
  std::vector<Pooling> poolings{Pooling::kFlatten, Pooling::kAverage, Pooling::kMaximum};
  std::vector<Transform> transforms{Transform::kUnit, Transform::kScale, Transform::kStandardize};
  std::vector<std::vector<int>> hidden{{}, {256}};
  std::vector<double> rates{0.1, 0.3, 1.0, 3.0};
  std::vector<double> l2{1e-5, 1e-4, 1e-3};
};
[[nodiscard]] std::vector<Candidate> candidates_of(const SearchSpace& space);

struct SearchOptions {
  std::vector<int> rounds{8, 24, 72};  ///< epochs of each round of halving, rising
  double kept = 1.0 / 3.0;             ///< share of the candidates that goes on to the next round
  std::function<void(std::size_t done, std::size_t total)> on_run;  ///< called from one thread at a time
};

struct SearchResult {
  std::vector<CandidateScore> scores;  ///< the best first: later rounds, then accuracy, then cross-entropy
  Matrix out_of_fold;  ///< logits of the best one, [rows.size(), classes]; empty if it diverged
};

/// Same candidates, cross-validation (which was made for them) and options: same result, whatever the thread
/// count.
/// @throws std::invalid_argument for rounds that do not rise, or a share out of (0, 1]; Cancelled
[[nodiscard]] SearchResult search(const CrossValidation& validation, std::span<const Candidate> candidates,
                                  const SearchOptions& options);

}  // namespace headstart
