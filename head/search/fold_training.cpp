// head/search/fold_training.cpp
#include "head/search/fold_training.hpp"

#include <stdexcept>

#include "head/representation/dense_representation.hpp"
#include "head/search/dense_training.hpp"
#include "head/search/gram_training.hpp"
#include "head/search/sparse_training.hpp"

namespace headstart {
namespace {

// Outputs of the heads that share a pass. At 512 features their weights and velocities take 2 MB.
constexpr int kOutputsOfAGroup = 512;

}  // namespace

std::vector<std::vector<std::size_t>> groups_of(FoldSolver solver, std::span<const Candidate> candidates,
                                                int classes) {
  std::vector<std::vector<std::size_t>> groups;
  int outputs = 0;
  for (std::size_t c = 0; c < candidates.size(); ++c) {
    const int width = first_width(candidates[c], classes);
    if (groups.empty() || solver != FoldSolver::kDense || outputs + width > kOutputsOfAGroup) {
      groups.emplace_back();
      outputs = 0;
    }
    groups.back().push_back(c);
    outputs += width;
  }
  return groups;
}

std::unique_ptr<FoldTraining> prepare_training(FoldSolver solver, const SearchProblem& problem,
                                               std::span<const Fold> folds,
                                               std::span<const Candidate> candidates,
                                               const TrainingOptions& training,
                                               const Cancellation& cancellation) {
  const Representation& representation = candidates.front().representation;
  static_cast<void>(problem.columns(representation.pooling));  // checks that the rows are there
  if (!is_dense(representation.pooling) && differs_by_fold(representation))
    throw std::invalid_argument("cross-validation: flattened rows are not standardized");
  switch (solver) {
    case FoldSolver::kGram:
      return make_gram_training(problem, folds, candidates, training, cancellation);
    case FoldSolver::kDense:
      return make_dense_training(problem, folds, representation, training, cancellation);
    case FoldSolver::kSparse:
      return make_sparse_training(problem, folds, representation.transform, training, cancellation);
  }
  throw std::invalid_argument("cross-validation: there is no such solver");
}

double learning_rate_of(double rate, double mean_square) noexcept {
  return rate / (mean_square > 0.0 ? mean_square : 1.0);
}

TrainingOptions options_of(const Candidate& candidate, double mean_square, int epochs,
                           const TrainingOptions& base) {
  TrainingOptions options = base;
  options.hidden = candidate.hidden;
  options.learning_rate = learning_rate_of(candidate.rate, mean_square);
  options.l2 = candidate.l2;
  options.epochs = epochs;
  options.schedule = Schedule::kConstant;
  options.early_stopping.reset();
  return options;
}

}  // namespace headstart
