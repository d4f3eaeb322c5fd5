// head/search/search.hpp: finds the best of many candidates by cross-validation. By successive halving
// (Jamieson and Talwalkar 2016, arXiv 1502.07943), only the best candidates get more epochs. The winner's
// accuracy is optimistic, because the winner was chosen by it.
#pragma once

#include <cstddef>
#include <functional>
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

struct SearchOptions {
  std::vector<int> rounds{8, 24, 72};  ///< epochs of each round of halving, rising
  double kept = 1.0 / 3.0;             ///< share of the candidates that enter the next round
  std::function<void(std::size_t done, std::size_t total)> on_run;  ///< called from one thread at a time
};

struct SearchResult {
  std::vector<CandidateScore> scores;  ///< best first: by later round, then accuracy, then cross-entropy
  Matrix out_of_fold;  ///< logits of the best candidate, [rows.size(), classes]; empty if it diverged
};

/// The same candidates, cross-validation and options give the same result, for any number of threads. The
/// cross-validation must have been made for these candidates.
/// @throws std::invalid_argument for rounds that do not rise, or a share outside (0, 1]; Cancelled
[[nodiscard]] SearchResult search(const CrossValidation& validation, std::span<const Candidate> candidates,
                                  const SearchOptions& options);

}  // namespace headstart
