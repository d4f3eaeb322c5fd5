// head/search/cross_validation.hpp: trains heads on all folds but one and measures them on that fold.
//
// Invariant: only the problem's rows and views train, and only its rows are measured. The numbers of a fold
// come from heads that were not trained on that fold.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "head/cancellation.hpp"
#include "head/matrix.hpp"
#include "head/search/fold_curve.hpp"
#include "head/search/fold_training.hpp"
#include "head/search/search_problem.hpp"
#include "head/training/trainer.hpp"

namespace headstart {

/// The results of a candidate out of fold, after its best number of epochs.
struct CandidateScore {
  Candidate candidate;
  int epochs = 0;  ///< the number with the lowest cross-entropy; at most the epochs of its last round
  int round = 0;   ///< its last round, from 0
  std::vector<double> fold_accuracies;
  double accuracy = 0.0;       ///< mean over the folds
  double deviation = 0.0;      ///< standard deviation over the folds
  double cross_entropy = 0.0;  ///< mean over all rows; infinite where a fold diverged, with epochs = 0
};

/// Mean and standard deviation (n - 1 in its denominator).
struct MeanAndDeviation {
  double mean = 0.0;
  double deviation = 0.0;
};
[[nodiscard]] MeanAndDeviation mean_and_deviation(std::span<const double> values);

/// The folds of a problem, and the training of candidates on them. Of the rows that candidates share, those
/// of the last representation are kept. Call its functions from one thread.
class CrossValidation {
 public:
  /// Called after each training with its estimated seconds on one core, from one thread at a time.
  using OnWork = std::function<void(double seconds)>;

  /// @param problem   must outlive this
  /// @param training  every option that is not part of a candidate; the schedule is constant. Its processes
  /// share the trainings of run() out.
  /// @param memory    bytes that Gram matrices may take
  /// @param cancellation  of all runs
  /// @throws std::invalid_argument if the parts of the problem disagree, or there are fewer than two folds
  CrossValidation(const SearchProblem& problem, const TrainingOptions& training, std::int64_t memory,
                  Cancellation cancellation = {});

  [[nodiscard]] const SearchProblem& problem() const noexcept { return problem_; }
  [[nodiscard]] const std::vector<Fold>& folds() const noexcept { return folds_; }
  [[nodiscard]] std::uint64_t seed() const noexcept { return training_.seed; }

  /// What run() costs for candidates of one representation.
  [[nodiscard]] SearchCost cost(std::span<const Candidate> candidates, int epochs) const;

  /// Trains each candidate on each fold.
  /// @return curves, [candidates][folds], without logits
  /// @throws Cancelled; std::invalid_argument if the problem has no rows for a candidate
  [[nodiscard]] std::vector<std::vector<FoldCurve>> run(std::span<const Candidate> candidates, int epochs,
                                                        const OnWork& on_work = {});
  /// Trains one candidate on other folds, each for its own number of epochs.
  /// @param folds  for each of folds() some of its rows
  /// @param on_fold  called after each fold, from one thread at a time
  [[nodiscard]] std::vector<FoldCurve> run(const Candidate& candidate, std::span<const Fold> folds,
                                           std::span<const int> epochs, bool keep_logits,
                                           const std::function<void()>& on_fold = {});

  /// @param curves  one for each of `folds`
  [[nodiscard]] static CandidateScore score(const Candidate& candidate, std::span<const FoldCurve> curves,
                                            std::span<const Fold> folds);

  /// Logits of a candidate for all rows after `epochs`, each row by a head that was not trained on it.
  /// @return logits, [problem().rows.size(), classes]
  /// @throws Divergence, Cancelled
  [[nodiscard]] Matrix out_of_fold_logits(const Candidate& candidate, int epochs,
                                          const std::function<void()>& on_fold = {});

 private:
  // How many trainings may run at a time.
  [[nodiscard]] int threads_for(const FoldTraining& training) const;
  // The training of candidates of one representation; makes it if it is not the last one.
  const FoldTraining& prepared(FoldSolver solver, std::span<const Candidate> candidates);

  const SearchProblem& problem_;
  std::vector<Fold> folds_;
  TrainingOptions training_;
  std::int64_t memory_;
  Cancellation cancellation_;
  std::vector<Candidate> prepared_for_;
  std::unique_ptr<FoldTraining> prepared_;
};

/// Trains a candidate on some rows for `epochs`, and computes the logits of other rows.
/// @return logits, [others.size(), classes]
/// @throws Divergence, Cancelled
[[nodiscard]] Matrix train_and_predict(const SearchProblem& problem, const Candidate& candidate, int epochs,
                                       std::span<const RowIndex> training, std::span<const RowIndex> others,
                                       const TrainingOptions& options, std::int64_t memory,
                                       const Cancellation& cancellation = {});

/// The sizes of a problem for one representation.
[[nodiscard]] SearchShape search_shape(const SearchProblem& problem, Pooling pooling, std::size_t folds,
                                       int batch);

/// Runs task(i) for each i below `count` on `threads`; each free thread takes the next i. Passes on the first
/// exception.
void run_on_free_threads(std::size_t count, int threads, const std::function<void(std::size_t)>& task);

}  // namespace headstart
