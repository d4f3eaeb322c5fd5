// head/search/search.cpp
#include "head/search/search.hpp"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <numeric>
#include <stdexcept>

namespace headstart {
namespace {

void check(const SearchOptions& options) {
  if (options.rounds.empty() || !std::is_sorted(options.rounds.begin(), options.rounds.end()) ||
      options.rounds.front() < 1) {
    throw std::invalid_argument("search: needed rounds of one epoch or more, rising");
  }
  if (!(options.kept > 0.0 && options.kept <= 1.0)) {
    throw std::invalid_argument("search: the share that goes on is not in (0, 1]");
  }
}

bool better(const CandidateScore& a, const CandidateScore& b) {
  if (a.round != b.round) return a.round > b.round;
  if (a.accuracy != b.accuracy) return a.accuracy > b.accuracy;
  return a.cross_entropy < b.cross_entropy;
}

}  // namespace

std::vector<Candidate> candidates_of(const SearchSpace& space) {
  std::vector<Candidate> candidates;
  for (const Pooling pooling : space.poolings) {
    for (const Transform transform : space.transforms) {
      if (pooling == Pooling::kFlatten && transform == Transform::kStandardize) continue;
      for (const std::vector<int>& hidden : space.hidden) {
        for (const double rate : space.rates) {
          for (const double l2 : space.l2) candidates.push_back({{pooling, transform}, hidden, rate, l2});
        }
      }
    }
  }
  return candidates;
}

SearchResult search(const CrossValidation& validation, std::span<const Candidate> candidates,
                    const SearchOptions& options) {
  check(options);
  const std::vector<Fold>& folds = validation.folds();
  SearchResult result;
  std::vector<Candidate> alive(candidates.begin(), candidates.end());
  std::vector<std::size_t> sizes;  // trainings in each round, for on_run
  for (std::size_t round = 0, left = alive.size(); round < options.rounds.size(); ++round) {
    sizes.push_back(left * folds.size());
    left = std::max<std::size_t>(
        1, static_cast<std::size_t>(std::ceil(static_cast<double>(left) * options.kept)));
  }
  const std::size_t total = std::accumulate(sizes.begin(), sizes.end(), std::size_t{0});
  std::size_t done = 0;
  std::mutex mutex;
  for (std::size_t round = 0; round < options.rounds.size(); ++round) {
    std::vector<FoldCurve> curves(alive.size() * folds.size());
    const auto run = [&](std::size_t i) {
      const std::size_t fold = i % folds.size();
      curves[i] = validation.run(alive[i / folds.size()], folds[fold], fold, options.rounds[round]);
      curves[i].last_logits.resize(0, 0);
      const std::lock_guard lock(mutex);
      ++done;
      if (options.on_run) options.on_run(done, total);
    };
    run_on_free_threads(curves.size(), validation.threads(), run);
    std::vector<CandidateScore> scores;
    for (std::size_t c = 0; c < alive.size(); ++c) {
      scores.push_back(
          CrossValidation::score(alive[c], std::span(curves).subspan(c * folds.size(), folds.size()), folds));
      scores.back().round = static_cast<int>(round);
    }
    // The candidates of this round leave the earlier list; they are listed again below.
    std::erase_if(result.scores, [&](const CandidateScore& score) {
      return std::find(alive.begin(), alive.end(), score.candidate) != alive.end();
    });
    std::stable_sort(scores.begin(), scores.end(), better);
    result.scores.insert(result.scores.begin(), scores.begin(), scores.end());
    if (round + 1 == options.rounds.size()) break;
    alive.clear();
    for (std::size_t i = 0; i < sizes[round + 1] / folds.size(); ++i) alive.push_back(scores[i].candidate);
  }
  std::stable_sort(result.scores.begin(), result.scores.end(), better);
  if (result.scores.front().epochs > 0) {
    result.out_of_fold =
        validation.out_of_fold_logits(result.scores.front().candidate, result.scores.front().epochs);
  }
  return result;
}

}  // namespace headstart
