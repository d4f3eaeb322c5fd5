// head/search/cross_validation.cpp
#include "head/search/cross_validation.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <limits>
#include <mutex>
#include <numeric>
#include <stdexcept>
#include <utility>

#include "head/divergence.hpp"
#include "head/workers.hpp"

namespace headstart {
namespace {

// Curves without logits as numbers: for each a flag, the number of epochs, and two numbers for each epoch.
std::vector<double> packed(std::span<FoldCurve* const> curves) {
  std::vector<double> numbers;
  for (const FoldCurve* curve : curves) {
    numbers.push_back(curve->diverged ? 1.0 : 0.0);
    numbers.push_back(static_cast<double>(curve->correct.size()));
    for (std::size_t e = 0; e < curve->correct.size(); ++e) {
      numbers.push_back(curve->cross_entropy[e]);
      numbers.push_back(static_cast<double>(curve->correct[e]));
    }
  }
  return numbers;
}

void unpack(std::span<const double> numbers, std::span<FoldCurve* const> curves) {
  std::size_t at = 0;
  for (FoldCurve* curve : curves) {
    curve->diverged = numbers[at++] != 0.0;
    const auto epochs = static_cast<std::size_t>(numbers[at++]);
    for (std::size_t e = 0; e < epochs; ++e) {
      curve->cross_entropy.push_back(numbers[at++]);
      curve->correct.push_back(static_cast<std::int64_t>(numbers[at++]));
    }
  }
}

// Gives every process the curves of all. @param of_process  the curves that each process has trained
void share_curves(ProcessGroup& processes, const std::vector<std::vector<FoldCurve*>>& of_process) {
  const auto rank = static_cast<std::size_t>(processes.rank());
  const std::vector<double> own = packed(of_process[rank]);
  const std::size_t own_bytes = own.size() * sizeof(double);
  const std::vector<std::size_t> one(of_process.size(), sizeof(std::size_t));
  std::vector<std::size_t> counts(of_process.size());
  processes.all_gather(std::as_bytes(std::span(&own_bytes, 1)), one,
                       std::as_writable_bytes(std::span(counts)));
  std::vector<double> all(std::accumulate(counts.begin(), counts.end(), std::size_t{0}) / sizeof(double));
  processes.all_gather(std::as_bytes(std::span(own)), counts, std::as_writable_bytes(std::span(all)));
  std::size_t first = 0;
  for (std::size_t p = 0; p < of_process.size(); ++p) {
    const std::size_t count = counts[p] / sizeof(double);
    if (p != rank) unpack(std::span(all).subspan(first, count), of_process[p]);
    first += count;
  }
}

}  // namespace

MeanAndDeviation mean_and_deviation(std::span<const double> values) {
  const auto count = static_cast<double>(values.size());
  MeanAndDeviation result;
  result.mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
  double squares = 0.0;
  for (const double value : values) squares += (value - result.mean) * (value - result.mean);
  result.deviation = std::sqrt(squares / (count - 1.0));
  return result;
}

CrossValidation::CrossValidation(const SearchProblem& problem, const TrainingOptions& training,
                                 std::int64_t memory, Cancellation cancellation)
    : problem_(problem),
      folds_(folds_of(problem)),
      training_(training),
      memory_(memory),
      cancellation_(std::move(cancellation)) {}

SearchCost CrossValidation::cost(std::span<const Candidate> candidates, int epochs) const {
  return search_cost(
      search_shape(problem_, candidates.front().representation.pooling, folds_.size(), training_.batch),
      candidates, epochs, memory_);
}

int CrossValidation::threads_for(const FoldTraining& training) const {
  return training.uses_all_threads() ? 1 : training_.threads;
}

const FoldTraining& CrossValidation::prepared(FoldSolver solver, std::span<const Candidate> candidates) {
  const bool same =
      std::equal(candidates.begin(), candidates.end(), prepared_for_.begin(), prepared_for_.end());
  if (!prepared_ || !same) {
    prepared_.reset();  // its memory is free for the next one
    prepared_ = prepare_training(solver, problem_, folds_, candidates, training_, cancellation_);
    prepared_for_.assign(candidates.begin(), candidates.end());
  }
  return *prepared_;
}

std::vector<std::vector<FoldCurve>> CrossValidation::run(std::span<const Candidate> candidates, int epochs,
                                                         const OnWork& on_work) {
  std::vector<std::vector<FoldCurve>> curves(candidates.size(), std::vector<FoldCurve>(folds_.size()));
  const auto processes =
      static_cast<std::size_t>(training_.processes == nullptr ? 1 : training_.processes->size());
  const auto rank =
      static_cast<std::size_t>(training_.processes == nullptr ? 0 : training_.processes->rank());
  std::vector<std::vector<FoldCurve*>> of_process(processes);
  std::size_t shared_out = 0;
  std::mutex mutex;
  for (const Representation& representation : representations_of(candidates)) {
    std::vector<std::size_t> places;
    std::vector<Candidate> own;
    for (std::size_t c = 0; c < candidates.size(); ++c) {
      if (!(candidates[c].representation == representation)) continue;
      places.push_back(c);
      own.push_back(candidates[c]);
    }
    const SearchCost costs = cost(own, epochs);
    const FoldTraining& training = prepared(costs.solver, own);
    if (on_work) on_work(costs.preparation);
    const std::vector<std::vector<std::size_t>> groups = groups_of(costs.solver, own, problem_.classes);
    std::vector<std::pair<std::size_t, std::size_t>> tasks;  // group and fold
    for (std::size_t g = 0; g < groups.size(); ++g) {
      for (std::size_t f = 0; f < folds_.size(); ++f) {
        const std::size_t process = shared_out++ % processes;
        for (const std::size_t c : groups[g]) of_process[process].push_back(&curves[places[c]][f]);
        if (process == rank) tasks.emplace_back(g, f);
      }
    }
    run_on_free_threads(tasks.size(), threads_for(training), [&](std::size_t t) {
      const auto& [g, f] = tasks[t];
      std::vector<Candidate> group;
      double seconds = 0.0;
      for (const std::size_t c : groups[g]) {
        group.push_back(own[c]);
        seconds += costs.of_candidate[c] / static_cast<double>(folds_.size());
      }
      std::vector<FoldCurve> found = training.train(group, folds_[f], f, epochs, false);
      const std::lock_guard lock(mutex);
      for (std::size_t i = 0; i < group.size(); ++i) curves[places[groups[g][i]]][f] = std::move(found[i]);
      if (on_work) on_work(seconds * static_cast<double>(processes));
    });
  }
  if (training_.processes != nullptr) share_curves(*training_.processes, of_process);
  return curves;
}

std::vector<FoldCurve> CrossValidation::run(const Candidate& candidate, std::span<const Fold> folds,
                                            std::span<const int> epochs, bool keep_logits,
                                            const std::function<void()>& on_fold) {
  const std::span<const Candidate> one(&candidate, 1);
  const FoldTraining& training =
      prepared(cost(one, *std::max_element(epochs.begin(), epochs.end())).solver, one);
  std::vector<FoldCurve> curves(folds.size());
  std::mutex mutex;
  run_on_free_threads(folds.size(), threads_for(training), [&](std::size_t f) {
    curves[f] = std::move(training.train(one, folds[f], f, epochs[f], keep_logits).front());
    const std::lock_guard lock(mutex);
    if (on_fold) on_fold();
  });
  return curves;
}

CandidateScore CrossValidation::score(const Candidate& candidate, std::span<const FoldCurve> curves,
                                      std::span<const Fold> folds) {
  CandidateScore score;
  score.candidate = candidate;
  score.cross_entropy = std::numeric_limits<double>::infinity();
  score.fold_accuracies.assign(folds.size(), 0.0);
  for (const FoldCurve& curve : curves) {
    if (curve.diverged) return score;
  }
  double rows = 0.0;
  for (const Fold& fold : folds) rows += static_cast<double>(fold.measured.size());
  for (std::size_t epoch = 0; epoch < curves.front().cross_entropy.size(); ++epoch) {
    double sum = 0.0;
    for (const FoldCurve& curve : curves) sum += curve.cross_entropy[epoch];
    if (!(sum / rows < score.cross_entropy)) continue;
    score.cross_entropy = sum / rows;
    score.epochs = static_cast<int>(epoch) + 1;
  }
  if (score.epochs == 0) return score;
  for (std::size_t f = 0; f < folds.size(); ++f) {
    score.fold_accuracies[f] =
        static_cast<double>(curves[f].correct[static_cast<std::size_t>(score.epochs) - 1]) /
        static_cast<double>(folds[f].measured.size());
  }
  const MeanAndDeviation accuracy = mean_and_deviation(score.fold_accuracies);
  score.accuracy = accuracy.mean;
  score.deviation = accuracy.deviation;
  return score;
}

Matrix CrossValidation::out_of_fold_logits(const Candidate& candidate, int epochs,
                                           const std::function<void()>& on_fold) {
  const std::vector<int> of_folds(folds_.size(), epochs);
  const std::vector<FoldCurve> curves = run(candidate, folds_, of_folds, true, on_fold);
  Matrix logits(static_cast<Eigen::Index>(problem_.rows.size()), problem_.classes);
  std::vector<Eigen::Index> next(folds_.size(), 0);
  for (std::size_t i = 0; i < problem_.rows.size(); ++i) {
    const auto fold = static_cast<std::size_t>(problem_.folds[i]);
    if (curves[fold].diverged) throw Divergence("cross-validation: the candidate diverges");
    logits.row(static_cast<Eigen::Index>(i)) = curves[fold].last_logits.row(next[fold]++);
  }
  return logits;
}

Matrix train_and_predict(const SearchProblem& problem, const Candidate& candidate, int epochs,
                         std::span<const RowIndex> training, std::span<const RowIndex> others,
                         const TrainingOptions& options, std::int64_t memory,
                         const Cancellation& cancellation) {
  const std::vector<Fold> folds{{{training.begin(), training.end()}, {others.begin(), others.end()}}};
  const std::span<const Candidate> one(&candidate, 1);
  SearchShape shape = search_shape(problem, candidate.representation.pooling, 1, options.batch);
  shape.images = static_cast<std::int64_t>(others.size());
  shape.rows = static_cast<std::int64_t>(training.size() + others.size());
  const std::unique_ptr<FoldTraining> prepared = prepare_training(
      search_cost(shape, one, epochs, memory).solver, problem, folds, one, options, cancellation);
  FoldCurve curve = std::move(prepared->train(one, folds.front(), 0, epochs, true).front());
  if (curve.diverged) throw Divergence("cross-validation: the candidate diverges");
  return std::move(curve.last_logits);
}

SearchShape search_shape(const SearchProblem& problem, Pooling pooling, std::size_t folds, int batch) {
  const auto images = static_cast<std::int64_t>(problem.rows.size());
  const std::int64_t rows = images + static_cast<std::int64_t>(problem.views.size());
  const std::int64_t columns = problem.columns(pooling);
  std::int64_t nonzeros = rows * columns;
  if (pooling == Pooling::kFlatten) {
    const std::int64_t all = problem.source_nonzeros > 0
                                 ? problem.source_nonzeros
                                 : static_cast<std::int64_t>(problem.flattened.values.size());
    nonzeros = static_cast<std::int64_t>(static_cast<double>(all) * static_cast<double>(rows) /
                                         static_cast<double>(problem.labels.size()));
  }
  return {.images = images,
          .rows = rows,
          .folds = static_cast<std::int64_t>(folds),
          .columns = columns,
          .nonzeros = nonzeros,
          .classes = problem.classes,
          .batch = batch,
          .window = pooling == Pooling::kFlatten && problem.source != nullptr
                        ? static_cast<std::int64_t>(problem.source->window)
                        : 0};
}

void run_on_free_threads(std::size_t count, int threads, const std::function<void(std::size_t)>& task) {
  Workers workers(threads);
  std::atomic<std::size_t> next{0};
  workers.for_each(static_cast<std::size_t>(workers.threads()), [&](std::size_t) {
    for (std::size_t i = next++; i < count; i = next++) task(i);
  });
}

}  // namespace headstart
