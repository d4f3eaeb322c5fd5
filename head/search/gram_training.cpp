// head/search/gram_training.cpp
#include "head/search/gram_training.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <numeric>
#include <stdexcept>
#include <utility>
#include <vector>

#include "head/layers/gram_solver.hpp"
#include "head/layers/kernel_matrix.hpp"
#include "head/layers/sparse_product.hpp"
#include "head/representation/dense_representation.hpp"
#include "head/search/one_head.hpp"
#include "head/search/row_factors.hpp"
#include "head/workers.hpp"

namespace headstart {
namespace {

class GramTraining final : public FoldTraining {
 public:
  GramTraining(const SearchProblem& problem, std::span<const Fold> folds,
               std::span<const Candidate> candidates, const TrainingOptions& training,
               const Cancellation& cancellation)
      : problem_(problem),
        training_(beside_others(training)),
        cancellation_(cancellation),
        members_(members_of(folds)),
        positions_(problem.labels.size(), -1) {
    for (std::size_t i = 0; i < members_.size(); ++i) {
      positions_[static_cast<std::size_t>(members_[i])] = static_cast<RowIndex>(i);
      labels_.push_back(problem.labels[static_cast<std::size_t>(members_[i])]);
    }
    Workers workers(training.threads, cancellation);
    const Representation& representation = candidates.front().representation;
    if (!is_dense(representation.pooling)) {
      fit_flattened(representation.transform, candidates, workers);
      return;
    }
    const std::size_t fits = differs_by_fold(representation) ? folds.size() : 1;
    for (std::size_t f = 0; f < fits; ++f)
      fit_rows(representation, fits == 1 ? std::span(problem.rows) : std::span(folds[f].training), candidates,
               workers);
  }

  [[nodiscard]] std::vector<FoldCurve> train(std::span<const Candidate> candidates, const Fold& fold,
                                             std::size_t index, int epochs, bool keep_logits) const override {
    const Fit& fit = fits_[fits_.size() == 1 ? 0 : index];
    const std::vector<RowIndex> training = places(fold.training);
    const std::vector<RowIndex> measured = places(fold.measured);
    double squares = 0.0;
    for (const RowIndex row : training) squares += static_cast<double>((*fit.kernel_matrix)(row, row));
    std::vector<FoldCurve> curves;
    for (const Candidate& candidate : candidates) {
      const TrainingOptions options =
          options_of(candidate, squares / static_cast<double>(training.size()), epochs, training_);
      const auto basis = fit.bases.find(first_width(candidate, problem_.classes));
      if (basis == fit.bases.end())
        throw std::invalid_argument("cross-validation: it was not made for this candidate");
      GramSolver first(basis->second, training, 1);
      const SparseRows none{.indptr = std::vector<std::int64_t>(members_.size() + 1, 0)};
      const TrainingData data{.features = none.view(),
                              .labels = labels_,
                              .training = training,
                              .validation = measured,
                              .classes = problem_.classes};
      curves.push_back(train_one_head(first, data, options, keep_logits, cancellation_));
    }
    return curves;
  }

 private:
  struct Fit {
    std::shared_ptr<const Matrix> kernel_matrix;
    std::map<int, GramBasis> bases;  // by the first layer's width
  };

  [[nodiscard]] std::vector<RowIndex> places(std::span<const RowIndex> rows) const {
    std::vector<RowIndex> places;
    for (const RowIndex row : rows) places.push_back(positions_[static_cast<std::size_t>(row)]);
    return places;
  }

  // The products of unit and scaled rows are those of the rows as they are, times the rows' factors.
  void fit_flattened(Transform transform, std::span<const Candidate> candidates, Workers& workers) {
    const std::vector<float> of_rows = factors_of_rows(problem_, members_, transform, cancellation_).factors;
    Eigen::VectorXf factors(static_cast<Eigen::Index>(members_.size()));
    for (std::size_t i = 0; i < members_.size(); ++i)
      factors(static_cast<Eigen::Index>(i)) = of_rows[static_cast<std::size_t>(members_[i])];
    fit(TiledRows(problem_.flattened, kTileFeatures), members_, &factors, candidates, workers);
  }

  void fit_rows(const Representation& representation, std::span<const RowIndex> training,
                std::span<const Candidate> candidates, Workers& workers) {
    const DenseRowsView pooled = problem_.pooled.at(representation.pooling);
    const TransformedRows transformed(fit_transform(representation.transform, pooled, training), pooled,
                                      training_.threads);
    const SparseRows rows = sparse_rows_of(transformed.rows(), members_);
    std::vector<RowIndex> every(rows.rows());
    std::iota(every.begin(), every.end(), 0);
    fit(TiledRows(rows.view(), kTileFeatures), every, nullptr, candidates, workers);
  }

  // @param factors  of each of `rows`; null: 1
  void fit(const TiledRows& tiled, std::span<const RowIndex> rows, const Eigen::VectorXf* factors,
           std::span<const Candidate> candidates, Workers& workers) {
    Fit result;
    Matrix kernel = kernel_matrix(tiled, rows, workers);
    if (factors != nullptr) kernel.array() *= (*factors * factors->transpose()).array();
    result.kernel_matrix = std::make_shared<const Matrix>(std::move(kernel));
    for (const Candidate& candidate : candidates) {
      const int width = first_width(candidate, problem_.classes);
      if (result.bases.contains(width)) continue;
      TrainingOptions options = training_;
      options.hidden = candidate.hidden;
      const Head initial = initial_head(tiled.features().columns, problem_.classes, options);
      const Matrix& weights = initial.layers.front().kernel;
      Matrix products = sparse_product(tiled, rows, weights, workers);
      if (factors != nullptr) products.array().colwise() *= factors->array();
      result.bases[width] = {result.kernel_matrix, std::make_shared<const Matrix>(std::move(products)),
                             squared_norm(weights, workers)};
    }
    fits_.push_back(std::move(result));
  }

  const SearchProblem& problem_;
  TrainingOptions training_;
  Cancellation cancellation_;
  std::vector<RowIndex> members_;
  std::vector<RowIndex> positions_;   // of each row in members_; -1: not there
  std::vector<std::int32_t> labels_;  // [members]
  std::vector<Fit> fits_;             // one for all folds, or one for each fold
};

}  // namespace

std::unique_ptr<FoldTraining> make_gram_training(const SearchProblem& problem, std::span<const Fold> folds,
                                                 std::span<const Candidate> candidates,
                                                 const TrainingOptions& training,
                                                 const Cancellation& cancellation) {
  return std::make_unique<GramTraining>(problem, folds, candidates, training, cancellation);
}

}  // namespace headstart
