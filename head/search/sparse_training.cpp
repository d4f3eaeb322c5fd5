// head/search/sparse_training.cpp
#include "head/search/sparse_training.hpp"

#include <cstddef>
#include <vector>

#include "head/layers/primal_solver.hpp"
#include "head/layers/scaled_rows_layer.hpp"
#include "head/search/one_head.hpp"
#include "head/search/row_factors.hpp"

namespace headstart {
namespace {

class SparseTraining final : public FoldTraining {
 public:
  SparseTraining(const SearchProblem& problem, std::span<const Fold> folds, Transform transform,
                 const TrainingOptions& training, const Cancellation& cancellation)
      : problem_(problem),
        training_(training),
        cancellation_(cancellation),
        of_rows_(factors_of_rows(problem, members_of(folds), transform, cancellation)) {
    training_ = beside_others(training);
    if (uses_all_threads()) training_.threads = training.threads;
  }

  [[nodiscard]] bool uses_all_threads() const override { return problem_.source != nullptr; }

  [[nodiscard]] std::vector<FoldCurve> train(std::span<const Candidate> candidates, const Fold& fold,
                                             std::size_t /*index*/, int epochs,
                                             bool keep_logits) const override {
    double squares = 0.0;
    for (const RowIndex row : fold.training) squares += of_rows_.squared_norms[static_cast<std::size_t>(row)];
    const double mean_square = squares / static_cast<double>(fold.training.size());
    std::vector<FoldCurve> curves;
    for (const Candidate& candidate : candidates)
      curves.push_back(
          train_candidate(options_of(candidate, mean_square, epochs, training_), fold, keep_logits));
    return curves;
  }

 private:
  [[nodiscard]] FoldCurve train_candidate(const TrainingOptions& options, const Fold& fold,
                                          bool keep_logits) const {
    SparseRowsView features = problem_.flattened;
    features.columns = problem_.columns(Pooling::kFlatten);
    const Head initial = initial_head(features.columns, problem_.classes, options);
    const Matrix& kernel = initial.layers.front().kernel;
    PrimalSolver solver(features, kernel, options.threads, best_primal_kernel(), blocks_for(kernel));
    TrainingData data{.features = features,
                      .labels = problem_.labels,
                      .training = fold.training,
                      .validation = fold.measured,
                      .classes = problem_.classes};
    if (problem_.source == nullptr) {
      ScaledRowsLayer first(solver, of_rows_.factors);
      return train_one_head(first, data, options, keep_logits, cancellation_);
    }
    RowSource scaled = *problem_.source;
    scaled.read = [this](std::span<const RowIndex> rows) { return read_scaled(rows); };
    data.source = &scaled;
    return train_one_head(solver, data, options, keep_logits, cancellation_);
  }

  [[nodiscard]] SparseRows read_scaled(std::span<const RowIndex> rows) const {
    SparseRows read = problem_.source->read(rows);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto begin = static_cast<std::size_t>(read.indptr[i]);
      const auto end = static_cast<std::size_t>(read.indptr[i + 1]);
      for (float& value : std::span(read.values).subspan(begin, end - begin))
        value *= of_rows_.factors[static_cast<std::size_t>(rows[i])];
    }
    return read;
  }

  const SearchProblem& problem_;
  TrainingOptions training_;
  Cancellation cancellation_;
  RowFactors of_rows_;
};

}  // namespace

std::unique_ptr<FoldTraining> make_sparse_training(const SearchProblem& problem, std::span<const Fold> folds,
                                                   Transform transform, const TrainingOptions& training,
                                                   const Cancellation& cancellation) {
  return std::make_unique<SparseTraining>(problem, folds, transform, training, cancellation);
}

}  // namespace headstart
