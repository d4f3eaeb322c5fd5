// head/search/cross_validation.hpp: trains heads on all folds but one and measures them on that fold, for one
// set of cached maps. All folds and widths of a representation share one Gram matrix, so a run costs
// milliseconds.
//
// Invariant: only the problem's rows and views train, and only its rows are measured. The numbers of a fold
// come from heads that were not trained on that fold.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "head/cancellation.hpp"
#include "head/layers/gram_solver.hpp"
#include "head/matrix.hpp"
#include "head/representation/representation.hpp"
#include "head/training/trainer.hpp"
#include "head/workers.hpp"
#include "memory/sparse_rows.hpp"

namespace headstart {

/// One way to train a head.
struct Candidate {
  Representation representation;
  std::vector<int> hidden;  ///< widths; empty: linear
  /// Learning rate times mean |x|^2 of the training rows. The largest stable learning rate is inversely
  /// proportional to mean |x|^2, so one range of rates serves every representation.
  double rate = 0.1;
  double l2 = 1e-4;

  bool operator==(const Candidate&) const = default;
};

/// Rows with their folds. Feature rows are flattened maps [positions, channels].
struct SearchProblem {
  SparseRowsView maps;
  std::int64_t channels = 0;
  std::span<const std::int32_t> labels;  ///< [maps.rows()]; for the rows below, each in [0, classes)
  int classes = 0;
  std::vector<RowIndex> rows;            ///< each trains in all folds but one, and is measured in that one
  std::vector<int> folds;                ///< [rows.size()]: 0 to the number of folds - 1, each at least once
  std::vector<RowIndex> views;           ///< further rows of the same images; they only train
  std::vector<std::size_t> view_images;  ///< [views.size()]: the position in `rows` of their image
};

/// The rows that one fold trains on, and those that it is measured on.
struct Fold {
  std::vector<RowIndex> training;  ///< views included
  std::vector<RowIndex> measured;
};

/// The results of a run on its measured rows, after each epoch.
struct FoldCurve {
  std::vector<double> cross_entropy;  ///< sums over the rows
  std::vector<std::int64_t> correct;
  Matrix last_logits;
  bool diverged = false;
};

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

/// A problem with the Gram matrices and initial products that runs of several candidates share. There is one
/// set for each representation. A representation whose fit depends on the training rows has one set for each
/// fold.
class CrossValidation {
 public:
  /// @param problem   must outlive this
  /// @param training  every option that is not part of a candidate; the schedule is constant
  /// @param cancellation  of the constructor and of all runs
  /// @throws std::invalid_argument if the parts of the problem disagree, if there is no candidate, or if
  /// there are fewer than two folds; Cancelled
  CrossValidation(const SearchProblem& problem, std::span<const Candidate> candidates,
                  const TrainingOptions& training, Cancellation cancellation = {});

  [[nodiscard]] const SearchProblem& problem() const noexcept { return problem_; }
  [[nodiscard]] const std::vector<Fold>& folds() const noexcept { return folds_; }
  [[nodiscard]] int threads() const noexcept { return training_.threads; }
  [[nodiscard]] std::uint64_t seed() const noexcept { return training_.seed; }

  /// Trains one candidate on `fold` for `epochs`, on the calling thread. @throws Cancelled
  /// @param fold   rows of folds()[index], perhaps fewer
  /// @param index  the fold whose fit of the representation is used
  [[nodiscard]] FoldCurve run(const Candidate& candidate, const Fold& fold, std::size_t index,
                              int epochs) const;

  /// @param curves  one for each of `folds`
  [[nodiscard]] static CandidateScore score(const Candidate& candidate, std::span<const FoldCurve> curves,
                                            std::span<const Fold> folds);

  /// Logits of a candidate for all rows after `epochs`, each row by a head that was not trained on it.
  /// @return logits, [problem().rows.size(), classes]
  /// @throws Divergence, Cancelled
  [[nodiscard]] Matrix out_of_fold_logits(const Candidate& candidate, int epochs) const;

 private:
  friend Matrix train_and_predict(const SearchProblem& problem, const Candidate& candidate, int epochs,
                                  std::span<const RowIndex> training, std::span<const RowIndex> others,
                                  const TrainingOptions& options, const Cancellation& cancellation);

  // A representation as fitted for one fold or for all folds.
  struct Fitted {
    std::shared_ptr<const Matrix> kernel_matrix;
    std::map<int, GramBasis> bases;  // by the first layer's width
  };

  CrossValidation(const SearchProblem& problem, std::vector<Fold> folds,
                  std::span<const Candidate> candidates, const TrainingOptions& training,
                  Cancellation cancellation);
  [[nodiscard]] std::vector<Fitted> fit(const Representation& representation,
                                        std::span<const Candidate> candidates);
  [[nodiscard]] Fitted fit_to(const SparseRows& rows, const Representation& representation,
                              std::span<const Candidate> candidates);

  const SearchProblem& problem_;
  std::vector<Fold> folds_;
  TrainingOptions training_;
  Cancellation cancellation_;
  Workers workers_;
  std::vector<std::pair<Representation, std::vector<Fitted>>> fitted_;
};

/// Trains a candidate on some rows for `epochs`, and computes the logits of other rows.
/// @return logits, [others.size(), classes]
/// @throws Divergence, Cancelled
[[nodiscard]] Matrix train_and_predict(const SearchProblem& problem, const Candidate& candidate, int epochs,
                                       std::span<const RowIndex> training, std::span<const RowIndex> others,
                                       const TrainingOptions& options, const Cancellation& cancellation = {});

/// The memory that a CrossValidation of these candidates keeps: Gram matrices and initial products, in bytes.
/// @param rows  of the problem's maps
[[nodiscard]] std::int64_t cross_validation_bytes(std::int64_t rows, std::int64_t folds, int classes,
                                                  std::span<const Candidate> candidates);

/// Runs task(i) for each i below `count` on `threads`; each free thread takes the next i. Passes on the first
/// exception.
void run_on_free_threads(std::size_t count, int threads, const std::function<void(std::size_t)>& task);

/// The learning rate that `rate` is on rows with that mean |x|^2.
[[nodiscard]] double learning_rate_of(double rate, double mean_square) noexcept;

/// The options that train this candidate on `rows` of a representation.
/// @param mean_square  mean |x|^2 of the training rows
[[nodiscard]] TrainingOptions options_of(const Candidate& candidate, double mean_square, int epochs,
                                         const TrainingOptions& base);

}  // namespace headstart
