// head/search/fold_training.hpp: the rows of one representation, ready for training candidates on folds: with
// a shared Gram matrix, as dense rows that many heads share, or as sparse rows. Which one is the cheapest
// follows from shapes and constants (solver.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "head/cancellation.hpp"
#include "head/search/fold_curve.hpp"
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

/// The ways to train the candidates of a representation in a search.
enum class FoldSolver {
  kGram,    ///< the products of the rows, which all candidates and folds share
  kDense,   ///< dense rows, several heads in a pass
  kSparse,  ///< sparse rows, one head at a time
};
[[nodiscard]] constexpr std::string_view to_string(FoldSolver solver) noexcept {
  switch (solver) {
    case FoldSolver::kGram:
      return "gram";
    case FoldSolver::kDense:
      return "dense, heads together";
    case FoldSolver::kSparse:
      return "sparse";
  }
  return {};
}

/// The sizes that decide what a search costs.
struct SearchShape {
  std::int64_t images = 0;  ///< rows that are measured
  std::int64_t rows = 0;    ///< with views
  std::int64_t folds = 0;
  std::int64_t columns = 0;   ///< of the representation
  std::int64_t nonzeros = 0;  ///< of these rows
  int classes = 0;
  int batch = 32;
  /// Rows that are in memory at a time; 0: all. The products of more rows are not known.
  std::int64_t window = 0;
};

/// The sizes of a part with so many of the images.
[[nodiscard]] SearchShape part_of_shape(const SearchShape& shape, std::int64_t images) noexcept;

/// What training candidates of one representation on all folds costs: seconds on one core, from flops and
/// bytes at fixed rates, and bytes.
struct SearchCost {
  FoldSolver solver = FoldSolver::kGram;
  double preparation = 0.0;          ///< of the Gram matrices
  std::vector<double> of_candidate;  ///< [candidates]: all folds
  std::int64_t bytes = 0;

  [[nodiscard]] double seconds() const noexcept;
};

/// The cheaper solver within the memory, and its cost.
/// @param candidates  of one representation
/// @param memory      bytes that may be taken
[[nodiscard]] SearchCost search_cost(const SearchShape& shape, std::span<const Candidate> candidates,
                                     int epochs, std::int64_t memory);

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
