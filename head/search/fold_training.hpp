// head/search/fold_training.hpp: the rows of one representation, ready for training candidates on folds: with
// a shared Gram matrix, as dense rows that many heads share, or as sparse rows.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "head/cancellation.hpp"
#include "head/search/fold_curve.hpp"
#include "head/search/search_cost.hpp"
#include "head/search/search_problem.hpp"
#include "head/training/training_options.hpp"

namespace headstart {

/// Several trainings of the folds share its memory; train() may be called by several threads at a time.
class FoldTraining {
 public:
  virtual ~FoldTraining() = default;

  /// Trains candidates of this representation on a fold, on the calling thread.
  /// @param fold   rows of the fold `index`, perhaps fewer
  /// @param index  the fold whose fit of the representation is used
  /// @return one curve for each candidate
  /// @throws Cancelled
  [[nodiscard]] virtual std::vector<FoldCurve> train(std::span<const Candidate> candidates, const Fold& fold,
                                                     std::size_t index, int epochs,
                                                     bool keep_logits) const = 0;
  /// Whether only one train() may run at a time, because it uses all threads itself.
  [[nodiscard]] virtual bool uses_all_threads() const { return false; }
};

/// Candidates that are best trained in one call of train(), as positions.
[[nodiscard]] std::vector<std::vector<std::size_t>> groups_of(FoldSolver solver,
                                                              std::span<const Candidate> candidates,
                                                              int classes);

/// @param problem     must outlive the result
/// @param folds       must outlive the result
/// @param candidates  of one representation: their widths are prepared
/// @param training    every option that is not part of a candidate
/// @throws std::invalid_argument if the problem has no such rows; Cancelled
[[nodiscard]] std::unique_ptr<FoldTraining> prepare_training(FoldSolver solver, const SearchProblem& problem,
                                                             std::span<const Fold> folds,
                                                             std::span<const Candidate> candidates,
                                                             const TrainingOptions& training,
                                                             const Cancellation& cancellation);

/// The learning rate that `rate` is on rows with that mean |x|^2.
[[nodiscard]] double learning_rate_of(double rate, double mean_square) noexcept;

/// The options that train this candidate on `rows` of a representation.
/// @param mean_square  mean |x|^2 of the training rows
[[nodiscard]] TrainingOptions options_of(const Candidate& candidate, double mean_square, int epochs,
                                         const TrainingOptions& base);

}  // namespace headstart
