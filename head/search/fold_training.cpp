// head/search/fold_training.cpp
#include "head/search/fold_training.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <stdexcept>
#include <utility>

#include "head/divergence.hpp"
#include "head/layers/gram_solver.hpp"
#include "head/layers/kernel_matrix.hpp"
#include "head/layers/primal_solver.hpp"
#include "head/layers/scaled_rows_layer.hpp"
#include "head/layers/softmax_cross_entropy.hpp"
#include "head/layers/sparse_product.hpp"
#include "head/representation/dense_representation.hpp"
#include "head/search/head_group.hpp"
#include "head/training/trainer.hpp"
#include "head/workers.hpp"

namespace headstart {
namespace {

// Outputs of the heads that share a pass. At 512 features their weights and velocities take 2 MB.
constexpr int kOutputsOfAGroup = 512;

bool differs_by_fold(const Representation& representation) {
  // kScale has one number, which does not depend on labels, and rates are relative to each fold's mean |x|^2.
  // So all folds may share its fit.
  return representation.transform == Transform::kStandardize;
}

// The rows of all folds, ascending.
std::vector<RowIndex> members_of(std::span<const Fold> folds) {
  std::vector<RowIndex> members;
  for (const Fold& fold : folds) {
    members.insert(members.end(), fold.training.begin(), fold.training.end());
    members.insert(members.end(), fold.measured.begin(), fold.measured.end());
  }
  std::sort(members.begin(), members.end());
  members.erase(std::unique(members.begin(), members.end()), members.end());
  return members;
}

// Layers as train_layers() takes them: the solver has the first one's kernel.
std::vector<Dense> initial_layers(const TrainingOptions& options, int classes) {
  // One feature is enough: the first kernel is dropped, and each layer has its own generator.
  std::vector<Dense> layers = initial_head(1, classes, options).layers;
  layers.front().kernel.resize(0, 0);
  return layers;
}

// Trains one head with a first layer that counts rows in its own way.
FoldCurve train_one(FirstLayer& first, const TrainingData& data, const TrainingOptions& options,
                    bool keep_logits, const Cancellation& cancellation) {
  std::vector<std::int32_t> labels;
  for (const RowIndex row : data.validation) labels.push_back(data.labels[static_cast<std::size_t>(row)]);
  FoldCurve curve;
  TrainingHooks hooks;
  hooks.cancellation = cancellation;
  hooks.on_validation = [&](const Matrix& logits) {
    Matrix gradient = logits;
    const BatchLoss loss = softmax_cross_entropy(gradient, labels, {});
    curve.cross_entropy.push_back(loss.loss);
    curve.correct.push_back(loss.correct);
    if (keep_logits && curve.correct.size() == static_cast<std::size_t>(options.epochs))
      curve.last_logits = logits;
  };
  try {
    static_cast<void>(train_layers(data, first, initial_layers(options, data.classes), options, hooks));
  } catch (const Divergence&) {
    curve.diverged = true;
  }
  return curve;
}

TrainingOptions alone(TrainingOptions options) {
  options.threads = 1;  // trainings share the threads
  options.processes = nullptr;
  return options;
}

// Calls take(row, |x|^2) for each of `rows`, ascending, of flattened rows in memory or from a source.
template <typename Take>
void for_each_squared_norm(const SearchProblem& problem, std::span<const RowIndex> rows,
                           const Cancellation& cancellation, const Take& take) {
  const auto squared = [](std::span<const float> values) {
    const double norm = norm_of(values);
    return norm * norm;
  };
  if (problem.source == nullptr) {
    for (const RowIndex row : rows) take(row, squared(problem.flattened.row_values(row)));
    return;
  }
  for (std::size_t first = 0; first < rows.size(); first += problem.source->window) {
    cancellation.check();
    const auto part = rows.subspan(first, std::min(problem.source->window, rows.size() - first));
    const SparseRows read = problem.source->read(part);
    for (std::size_t i = 0; i < part.size(); ++i) take(part[i], squared(read.row_values(i)));
  }
}

// What a representation multiplies flattened rows with, and the lengths of the rows after that.
struct RowFactors {
  std::vector<float> factors;         // [rows of the problem's matrices]; 0 for rows that take no part
  std::vector<double> squared_norms;  // the same; after the factor
};

RowFactors factors_of_rows(const SearchProblem& problem, std::span<const RowIndex> members,
                           Transform transform, const Cancellation& cancellation) {
  RowFactors result{std::vector<float>(problem.labels.size(), 0.0F),
                    std::vector<double>(problem.labels.size(), 0.0)};
  for_each_squared_norm(problem, members, cancellation, [&](RowIndex row, double squared) {
    result.squared_norms[static_cast<std::size_t>(row)] = squared;
  });
  double sum = 0.0;
  for (const RowIndex row : problem.rows) sum += result.squared_norms[static_cast<std::size_t>(row)];
  const FittedTransform scale = fit_scale(sum / static_cast<double>(problem.rows.size()));
  for (const RowIndex row : members) {
    const auto r = static_cast<std::size_t>(row);
    float& factor = result.factors[r];
    factor = 1.0F;
    if (transform == Transform::kScale) factor = scale.scale;
    if (transform == Transform::kUnit)
      factor = static_cast<float>(1.0 / std::max(std::sqrt(result.squared_norms[r]), kLeastNorm));
    result.squared_norms[r] *= static_cast<double>(factor) * static_cast<double>(factor);
  }
  return result;
}

// ---- with a shared Gram matrix

class GramTraining final : public FoldTraining {
 public:
  GramTraining(const SearchProblem& problem, std::span<const Fold> folds,
               std::span<const Candidate> candidates, const TrainingOptions& training,
               const Cancellation& cancellation)
      : problem_(problem),
        training_(alone(training)),
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
      curves.push_back(train_one(first, data, options, keep_logits, cancellation_));
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

// ---- dense rows, many heads in a pass

class DenseTraining final : public FoldTraining {
 public:
  DenseTraining(const SearchProblem& problem, std::span<const Fold> folds,
                const Representation& representation, const TrainingOptions& training,
                const Cancellation& cancellation)
      : problem_(problem), training_(alone(training)), cancellation_(cancellation) {
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

// ---- sparse rows, one head after another

class SparseTraining final : public FoldTraining {
 public:
  SparseTraining(const SearchProblem& problem, std::span<const Fold> folds, Transform transform,
                 const TrainingOptions& training, const Cancellation& cancellation)
      : problem_(problem),
        training_(training),
        cancellation_(cancellation),
        of_rows_(factors_of_rows(problem, members_of(folds), transform, cancellation)) {
    training_ = alone(training);
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
      return train_one(first, data, options, keep_logits, cancellation_);
    }
    RowSource scaled = *problem_.source;
    scaled.read = [this](std::span<const RowIndex> rows) { return read_scaled(rows); };
    data.source = &scaled;
    return train_one(solver, data, options, keep_logits, cancellation_);
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

// ---- costs

TrainingShape shape_of(const SearchShape& shape, const Candidate& candidate, int epochs) {
  const std::int64_t measured = shape.images / std::max<std::int64_t>(shape.folds, 1);
  return {.rows = shape.rows,
          .training = shape.rows - measured,
          .columns = shape.columns,
          .nonzeros = shape.nonzeros,
          .width = first_width(candidate, shape.classes),
          .batch = shape.batch,
          .epochs = epochs,
          .l2 = candidate.l2 > 0.0,
          .dense = is_dense(candidate.representation.pooling)};
}

}  // namespace

SearchShape part_of_shape(const SearchShape& shape, std::int64_t images) noexcept {
  const double share =
      static_cast<double>(images) / static_cast<double>(std::max<std::int64_t>(shape.images, 1));
  SearchShape part = shape;
  part.images = images;
  part.rows = static_cast<std::int64_t>(static_cast<double>(shape.rows) * share);
  part.nonzeros = static_cast<std::int64_t>(static_cast<double>(shape.nonzeros) * share);
  return part;
}

double SearchCost::seconds() const noexcept {
  return std::accumulate(of_candidate.begin(), of_candidate.end(), preparation);
}

SearchCost search_cost(const SearchShape& shape, std::span<const Candidate> candidates, int epochs,
                       std::int64_t memory) {
  const Representation& representation = candidates.front().representation;
  const std::int64_t fits = differs_by_fold(representation) ? shape.folds : 1;
  SearchCost gram{.solver = FoldSolver::kGram, .of_candidate = {}};
  SearchCost primal{.solver = is_dense(representation.pooling) ? FoldSolver::kDense : FoldSolver::kSparse,
                    .of_candidate = {}};
  gram.bytes = 4 * fits * shape.rows * shape.rows;
  std::vector<std::int64_t> widths;
  for (const Candidate& candidate : candidates) {
    const TrainingShape run = shape_of(shape, candidate, epochs);
    const auto folds = static_cast<double>(shape.folds);
    gram.preparation = static_cast<double>(fits) * kernel_matrix_cost(run);
    gram.of_candidate.push_back(folds * gram_steps_cost(run));
    primal.of_candidate.push_back(folds * primal_cost(run));
    if (std::find(widths.begin(), widths.end(), run.width) != widths.end()) continue;
    widths.push_back(run.width);
    gram.bytes += 4 * fits * shape.rows * run.width;
    primal.bytes = std::max(primal.bytes, 8 * run.columns * run.width);
  }
  const bool in_memory = shape.window == 0 || shape.rows <= shape.window;
  const bool possible = in_memory && gram.bytes <= memory;
  return possible && gram.seconds() < primal.seconds() ? gram : primal;
}

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
      return std::make_unique<GramTraining>(problem, folds, candidates, training, cancellation);
    case FoldSolver::kDense:
      return std::make_unique<DenseTraining>(problem, folds, representation, training, cancellation);
    case FoldSolver::kSparse:
      return std::make_unique<SparseTraining>(problem, folds, representation.transform, training,
                                              cancellation);
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
