// head/search/search.cpp
#include "head/search/search.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <iterator>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <utility>

#include "head/random.hpp"
#include "head/seed_purpose.hpp"

namespace headstart {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kAlwaysWhole = 1000;  // images: below, halving over them would save seconds
constexpr std::size_t kMostAtFirst = 4000;  // images of the first round
constexpr double kFullEpochs = 8000.0;      // images: above, the number of steps is that of so many
constexpr int kLeastEpochs = 5;

void check(const SearchOptions& options, std::span<const Candidate> candidates) {
  if (candidates.empty()) throw std::invalid_argument("search: there is no candidate");
  if (options.epochs.empty() || !std::is_sorted(options.epochs.begin(), options.epochs.end()) ||
      options.epochs.front() < 1) {
    throw std::invalid_argument("search: needed rounds of one epoch or more, rising");
  }
  for (const double share : {options.kept, options.tried}) {
    if (!(share > 0.0 && share <= 1.0))
      throw std::invalid_argument("search: a share of the candidates is not in (0, 1]");
  }
}

std::size_t share_of(std::size_t count, double share) {
  return std::max<std::size_t>(1, static_cast<std::size_t>(std::ceil(static_cast<double>(count) * share)));
}

bool better(const CandidateScore& a, const CandidateScore& b) {
  if (a.round != b.round) return a.round > b.round;
  if (a.accuracy != b.accuracy) return a.accuracy > b.accuracy;
  return a.cross_entropy < b.cross_entropy;
}

/// The `count` best candidates. Where the next round has more images, the best of each pooling and width of
/// hidden layers is among them: with more images, rows of more features and wider layers gain more.
/// @param scores  best first
std::vector<Candidate> kept(std::span<const CandidateScore> scores, std::size_t count, bool more_images) {
  std::vector<bool> stays(scores.size(), false);
  std::vector<std::pair<Pooling, std::vector<int>>> kinds;
  for (std::size_t i = 0; more_images && i < scores.size() && kinds.size() < count; ++i) {
    const std::pair kind(scores[i].candidate.representation.pooling, scores[i].candidate.hidden);
    if (scores[i].epochs == 0 || std::find(kinds.begin(), kinds.end(), kind) != kinds.end()) continue;
    kinds.push_back(kind);
    stays[i] = true;
  }
  std::size_t taken = kinds.size();
  for (std::size_t i = 0; i < scores.size() && taken < count; ++i) {
    if (!stays[i]) ++taken;
    stays[i] = true;
  }
  std::vector<Candidate> result;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (stays[i]) result.push_back(scores[i].candidate);
  }
  return result;
}

/// The candidates in an order drawn by the seed.
std::vector<Candidate> drawn(std::span<const Candidate> candidates, std::uint64_t seed) {
  std::vector<RowIndex> order(candidates.size());
  std::iota(order.begin(), order.end(), 0);
  Random random(derive_seed(seed, SeedPurpose::kSearchBudget));
  shuffle(order, random);
  std::vector<Candidate> result;
  result.reserve(candidates.size());
  for (const RowIndex place : order) result.push_back(candidates[static_cast<std::size_t>(place)]);
  return result;
}

/// The work of candidates in seconds, summed over their representations.
template <typename CostOf>
double work_of(std::span<const Candidate> candidates, const CostOf& cost_of) {
  double seconds = 0.0;
  for (const Representation& representation : representations_of(candidates)) {
    std::vector<Candidate> own;
    std::copy_if(candidates.begin(), candidates.end(), std::back_inserter(own),
                 [&](const Candidate& candidate) { return candidate.representation == representation; });
    seconds += cost_of(own).seconds();
  }
  return seconds;
}

/// The `count` candidates that cost most.
template <typename CostOf>
std::vector<Candidate> costliest(std::span<const Candidate> candidates, std::size_t count,
                                 const CostOf& cost_of) {
  std::vector<std::pair<double, std::size_t>> costs;
  for (std::size_t i = 0; i < candidates.size(); ++i)
    costs.emplace_back(-cost_of(candidates.subspan(i, 1)).seconds(), i);
  std::sort(costs.begin(), costs.end());
  std::vector<Candidate> result;
  for (std::size_t i = 0; i < std::min(count, costs.size()); ++i)
    result.push_back(candidates[costs[i].second]);
  return result;
}

/// The work of rounds to come, and of the winner's out-of-fold logits. Which candidates will be left is not
/// known. The costliest are assumed: with more images, wide layers gain most.
double work_to_come(std::span<const Candidate> candidates, std::span<const SearchRound> rounds,
                    const std::function<SearchShape(Pooling)>& shape_of, std::int64_t memory) {
  double work = 0.0;
  for (std::size_t round = 0; round < rounds.size(); ++round) {
    const auto cost_of = [&](std::span<const Candidate> own) {
      const SearchShape whole = shape_of(own.front().representation.pooling);
      return search_cost(part_of_shape(whole, static_cast<std::int64_t>(rounds[round].images)), own,
                         rounds[round].epochs, memory);
    };
    work += work_of(costliest(candidates, rounds[round].candidates, cost_of), cost_of);
    if (round + 1 == rounds.size()) work += work_of(costliest(candidates, 1, cost_of), cost_of);
  }
  return work;
}

/// Seconds that remain, and how fast work was done so far.
class TimeLimit {
 public:
  /// @param processes  all count the same work; null: this process is alone
  TimeLimit(std::optional<double> seconds, ProcessGroup* processes)
      : seconds_(seconds), processes_(processes) {}

  [[nodiscard]] bool exists() const noexcept { return seconds_.has_value(); }
  void count(double work) noexcept { done_ += work; }
  /// The work that there is time for at the speed so far, the same for all processes.
  [[nodiscard]] double affordable() const {
    const double elapsed = std::chrono::duration<double>(Clock::now() - start_).count();
    const double here = std::max(0.0, *seconds_ - elapsed) * done_ / std::max(elapsed, 1e-9);
    if (processes_ == nullptr) return here;
    std::vector<double> all(static_cast<std::size_t>(processes_->size()));
    const std::vector<std::size_t> counts(all.size(), sizeof(double));
    processes_->all_gather(std::as_bytes(std::span(&here, 1)), counts,
                           std::as_writable_bytes(std::span(all)));
    return *std::min_element(all.begin(), all.end());
  }

 private:
  std::optional<double> seconds_;
  ProcessGroup* processes_;
  Clock::time_point start_ = Clock::now();
  double done_ = 0.0;
};

class Search {
 public:
  Search(const SearchProblem& problem, const TrainingOptions& training, const SearchOptions& options,
         std::int64_t memory, const Cancellation& cancellation)
      : problem_(problem),
        training_(training),
        options_(options),
        memory_(memory),
        cancellation_(cancellation),
        limit_(options.seconds, training.processes) {}

  SearchResult find(std::span<const Candidate> candidates) {
    std::vector<Candidate> alive(candidates.begin(), candidates.end());
    if (options_.tried < 1.0 || limit_.exists()) alive = drawn(candidates, training_.seed);
    result_.rounds = search_rounds(problem_.rows.size(), alive.size(), options_);
    leave_out(alive, result_.rounds.front().candidates);
    for (std::size_t round = 0; round < result_.rounds.size(); ++round) {
      enter(round);
      const std::vector<CandidateScore> scores = try_some(alive, round);
      if (round == 0) leave_out(alive, scores.size());
      list(scores);
      if (round + 1 == result_.rounds.size()) break;
      SearchRound& next = result_.rounds[round + 1];
      next.candidates = share_of(scores.size(), options_.kept);
      alive = kept(scores, next.candidates, next.images > result_.rounds[round].images);
    }
    std::stable_sort(result_.scores.begin(), result_.scores.end(), better);
    const CandidateScore& best = result_.scores.front();
    if (best.epochs > 0) result_.out_of_fold = validation_->out_of_fold_logits(best.candidate, best.epochs);
    return std::move(result_);
  }

 private:
  // Candidates from the place `first` on are not tried at all.
  void leave_out(std::vector<Candidate>& candidates, std::size_t first) {
    result_.not_tried.insert(result_.not_tried.end(), candidates.begin() + static_cast<std::ptrdiff_t>(first),
                             candidates.end());
    candidates.resize(first);
  }

  // Makes the part of the problem for this round.
  void enter(std::size_t round) {
    if (round > 0 && result_.rounds[round].images == result_.rounds[round - 1].images) return;
    validation_.reset();
    part_ = part_of(problem_, result_.rounds[round].images, training_.seed);
    if (part_.source != nullptr && part_.rows.size() + part_.views.size() <= part_.source->window) {
      part_rows_ = read_flattened(part_);
      part_.flattened = part_rows_.view();
      part_.source = nullptr;
    }
    validation_ = std::make_unique<CrossValidation>(part_, training_, memory_, cancellation_);
  }

  [[nodiscard]] double work_after(std::span<const Candidate> candidates, std::size_t round) const {
    const auto shape_of = [&](Pooling pooling) {
      return search_shape(problem_, pooling, validation_->folds().size(), training_.batch);
    };
    return work_to_come(candidates, std::span(result_.rounds).subspan(round + 1), shape_of, memory_);
  }

  // Scores of the candidates, or of the first ones if there is time for no more; the best first.
  std::vector<CandidateScore> try_some(std::span<const Candidate> candidates, std::size_t round) {
    SearchRound& now = result_.rounds[round];
    const auto cost_of = [&](std::span<const Candidate> own) { return validation_->cost(own, now.epochs); };
    const double of_round = work_of(candidates, cost_of);
    const double after = work_after(candidates, round);
    const double before = share_done_;
    double done = 0.0;
    std::vector<CandidateScore> scores;
    // With a limit, a tenth is tried first, which shows the speed.
    std::size_t count = limit_.exists() ? share_of(candidates.size(), 0.1) : candidates.size();
    while (count > 0) {
      const std::span<const Candidate> some = candidates.subspan(scores.size(), count);
      for (const Representation& representation : representations_of(some)) {
        const auto first = std::find_if(some.begin(), some.end(), [&](const Candidate& candidate) {
          return candidate.representation == representation;
        });
        result_.solvers.push_back(
            {static_cast<int>(round), representation, cost_of(std::span(first, 1)).solver});
      }
      const auto curves = validation_->run(some, now.epochs, [&](double seconds) {
        done += seconds;
        share_done_ =
            std::max(share_done_, before + (1.0 - before) * std::min(1.0, done / (of_round + after)));
        if (options_.on_progress) options_.on_progress(share_done_);
      });
      limit_.count(work_of(some, cost_of));
      for (std::size_t c = 0; c < some.size(); ++c) {
        scores.push_back(CrossValidation::score(some[c], curves[c], validation_->folds()));
        scores.back().round = static_cast<int>(round);
      }
      count = candidates.size() - scores.size();
      if (count == 0) break;
      const double affordable = limit_.affordable() * of_round / (of_round + after);
      while (count > 0 && work_of(candidates.subspan(scores.size(), count), cost_of) > affordable) --count;
    }
    std::stable_sort(scores.begin(), scores.end(), better);
    now.candidates = scores.size();
    return scores;
  }

  // The candidates of a round leave the earlier list and are listed again.
  void list(std::span<const CandidateScore> scores) {
    std::erase_if(result_.scores, [&](const CandidateScore& score) {
      return std::any_of(scores.begin(), scores.end(),
                         [&](const CandidateScore& again) { return again.candidate == score.candidate; });
    });
    result_.scores.insert(result_.scores.begin(), scores.begin(), scores.end());
  }

  const SearchProblem& problem_;
  const TrainingOptions& training_;
  const SearchOptions& options_;
  std::int64_t memory_;
  const Cancellation& cancellation_;
  TimeLimit limit_;
  SearchProblem part_;
  SparseRows part_rows_;  // its flattened rows, if the whole has a source
  std::unique_ptr<CrossValidation> validation_;
  SearchResult result_;
  double share_done_ = 0.0;  // of the work; later rounds are estimated anew as they begin
};

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

std::vector<SearchRound> search_rounds(std::size_t images, std::size_t candidates,
                                       const SearchOptions& options) {
  const auto all = static_cast<double>(images);
  const double first =
      images <= kAlwaysWhole ? all : std::clamp(all / 8.0, 1.0 * kAlwaysWhole, 1.0 * kMostAtFirst);
  std::vector<SearchRound> rounds;
  std::size_t left = share_of(candidates, options.tried);
  for (std::size_t round = 0; round < options.epochs.size(); ++round) {
    const bool last = round + 1 == options.epochs.size();
    const double grown =
        last ? 1.0 : static_cast<double>(round) / static_cast<double>(options.epochs.size() - 1);
    const auto part = static_cast<std::size_t>(std::lround(first * std::pow(all / first, grown)));
    const int epochs = options.epochs[round];
    const auto fewer = static_cast<int>(std::ceil(epochs * kFullEpochs / static_cast<double>(part)));
    rounds.push_back(
        {.images = part, .epochs = std::min(epochs, std::max(fewer, kLeastEpochs)), .candidates = left});
    left = share_of(left, options.kept);
  }
  return rounds;
}

double search_seconds(std::span<const Candidate> candidates, std::size_t images, const SearchOptions& options,
                      const std::function<SearchShape(Pooling)>& shape_of, std::int64_t memory) {
  // The candidates that are tried are drawn: they cost their share of the whole.
  SearchOptions whole = options;
  whole.tried = 1.0;
  const std::vector<SearchRound> rounds = search_rounds(images, candidates.size(), whole);
  return options.tried * work_to_come(candidates, rounds, shape_of, memory);
}

SearchResult search(const SearchProblem& problem, std::span<const Candidate> candidates,
                    const TrainingOptions& training, const SearchOptions& options, std::int64_t memory,
                    const Cancellation& cancellation) {
  check(options, candidates);
  return Search(problem, training, options, memory, cancellation).find(candidates);
}

}  // namespace headstart
