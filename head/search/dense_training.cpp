// head/search/dense_training.cpp
#include "head/search/dense_training.hpp"

#include <cstddef>
#include <utility>
#include <vector>

#include "head/representation/dense_representation.hpp"
#include "head/search/head_group.hpp"
#include "head/search/one_head.hpp"
#include "head/workers.hpp"

namespace headstart {
namespace {

class DenseTraining final : public FoldTraining {
 public:
  DenseTraining(const SearchProblem& problem, std::span<const Fold> folds,
                const Representation& representation, const TrainingOptions& training,
                const Cancellation& cancellation)
      : problem_(problem), training_(beside_others(training)), cancellation_(cancellation) {
    const DenseRowsView pooled = problem.pooled.at(representation.pooling);
    const std::size_t fits = differs_by_fold(representation) ? folds.size() : 1;
    fits_.resize(fits);
    Workers workers(training.threads, cancellation);
    workers.for_each(fits, [&](std::size_t f) {
      const std::span<const RowIndex> fitted_on =
          fits == 1 ? std::span(problem.rows) : std::span(folds[f].training);
      fits_[f] = TransformedRows(fit_transform(representation.transform, pooled, fitted_on), pooled,
                                 fits == 1 ? training.threads : 1);
    });
  }

  [[nodiscard]] std::vector<FoldCurve> train(std::span<const Candidate> candidates, const Fold& fold,
                                             std::size_t index, int epochs, bool keep_logits) const override {
    const AffineRows rows = fits_[fits_.size() == 1 ? 0 : index].rows();
    const double mean_square =
        sum_of_squares(rows, fold.training) / static_cast<double>(fold.training.size());
    std::vector<TrainingOptions> heads;
    for (const Candidate& candidate : candidates)
      heads.push_back(options_of(candidate, mean_square, epochs, training_));
    return train_together(rows, problem_.labels, problem_.classes, fold, heads, keep_logits, cancellation_);
  }

 private:
  const SearchProblem& problem_;
  TrainingOptions training_;
  Cancellation cancellation_;
  std::vector<TransformedRows> fits_;
};

}  // namespace

std::unique_ptr<FoldTraining> make_dense_training(const SearchProblem& problem, std::span<const Fold> folds,
                                                  const Representation& representation,
                                                  const TrainingOptions& training,
                                                  const Cancellation& cancellation) {
  return std::make_unique<DenseTraining>(problem, folds, representation, training, cancellation);
}

}  // namespace headstart
