// head/search/cross_validation.cpp
#include "head/search/cross_validation.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <set>
#include <stdexcept>
#include <string>
#include <tuple>

#include "head/divergence.hpp"
#include "head/layers/kernel_matrix.hpp"
#include "head/layers/softmax_cross_entropy.hpp"
#include "head/layers/sparse_product.hpp"

namespace headstart {
namespace {

std::vector<Fold> folds_of(const SearchProblem& problem) {
  const int count = 1 + *std::max_element(problem.folds.begin(), problem.folds.end());
  std::vector<Fold> folds(static_cast<std::size_t>(count));
  for (std::size_t f = 0; f < folds.size(); ++f) {
    Fold& fold = folds[f];
    for (std::size_t i = 0; i < problem.rows.size(); ++i) {
      const bool measured = static_cast<std::size_t>(problem.folds[i]) == f;
      (measured ? fold.measured : fold.training).push_back(problem.rows[i]);
    }
    for (std::size_t i = 0; i < problem.views.size(); ++i) {
      if (static_cast<std::size_t>(problem.folds[problem.view_images[i]]) != f) {
        fold.training.push_back(problem.views[i]);
      }
    }
  }
  return folds;
}

[[noreturn]] void refuse_problem(const std::string& what) {
  throw std::invalid_argument("cross-validation: " + what);
}

std::vector<Fold> checked_folds(const SearchProblem& problem) {
  if (problem.rows.size() != problem.folds.size()) refuse_problem("needed one fold for each row");
  if (problem.views.size() != problem.view_images.size()) refuse_problem("needed one image for each view");
  if (problem.rows.empty()) refuse_problem("there is no row");
  for (const std::size_t image : problem.view_images) {
    if (image >= problem.rows.size()) refuse_problem("a view has no image");
  }
  if (*std::min_element(problem.folds.begin(), problem.folds.end()) < 0)
    refuse_problem("a fold is below zero");
  std::vector<Fold> folds = folds_of(problem);
  if (folds.size() < 2) refuse_problem("needed two folds or more");
  for (const Fold& fold : folds) {
    if (fold.measured.empty()) refuse_problem("a fold has no row");
  }
  return folds;
}

bool differs_by_fold(const Representation& representation) {
  // kScale has one number, which does not depend on labels, and rates are relative to each fold's mean |x|^2.
  // So all folds may share its fit.
  return representation.transform == Transform::kStandardize;
}

double mean_square_of(const Matrix& kernel_matrix, std::span<const RowIndex> rows) {
  double sum = 0.0;
  for (const RowIndex row : rows) sum += static_cast<double>(kernel_matrix(row, row));
  return sum / static_cast<double>(rows.size());
}

int first_width(const Candidate& candidate, int classes) {
  return candidate.hidden.empty() ? classes : candidate.hidden.front();
}

// Layers as train_layers() takes them: the solver has the first one's kernel.
std::vector<Dense> initial_layers(const TrainingOptions& options, int classes) {
  // One feature is enough: the first kernel is dropped, and each layer has its own generator.
  std::vector<Dense> layers = initial_head(1, classes, options).layers;
  layers.front().kernel.resize(0, 0);
  return layers;
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

CrossValidation::CrossValidation(const SearchProblem& problem, std::span<const Candidate> candidates,
                                 const TrainingOptions& training, Cancellation cancellation)
    : CrossValidation(problem, checked_folds(problem), candidates, training, std::move(cancellation)) {}

CrossValidation::CrossValidation(const SearchProblem& problem, std::vector<Fold> folds,
                                 std::span<const Candidate> candidates, const TrainingOptions& training,
                                 Cancellation cancellation)
    : problem_(problem),
      folds_(std::move(folds)),
      training_(training),
      cancellation_(std::move(cancellation)),
      workers_(training.threads, cancellation_) {
  if (candidates.empty()) refuse_problem("there is no candidate");
  for (const Candidate& candidate : candidates) {
    const Representation& representation = candidate.representation;
    if (std::none_of(fitted_.begin(), fitted_.end(),
                     [&](const auto& known) { return known.first == representation; })) {
      fitted_.emplace_back(representation, fit(representation, candidates));
    }
  }
}

// One fit for all folds, or one fit for each fold.
std::vector<CrossValidation::Fitted> CrossValidation::fit(const Representation& representation,
                                                          std::span<const Candidate> candidates) {
  const SparseRows pooled = pool(problem_.maps, problem_.channels, representation.pooling, training_.threads);
  const auto fitted_on = [&](std::span<const RowIndex> rows) {
    return fit_to(apply(fit_transform(representation.transform, pooled.view(), rows), pooled.view()),
                  representation, candidates);
  };
  std::vector<Fitted> result;
  if (differs_by_fold(representation)) {
    for (const Fold& fold : folds_) result.push_back(fitted_on(fold.training));
  } else {
    result.push_back(fitted_on(problem_.rows));
  }
  return result;
}

CrossValidation::Fitted CrossValidation::fit_to(const SparseRows& rows, const Representation& representation,
                                                std::span<const Candidate> candidates) {
  const TiledRows tiled(rows.view(), kTileFeatures);
  Fitted fitted;
  fitted.kernel_matrix = std::make_shared<const Matrix>(kernel_matrix(tiled, workers_));
  std::vector<RowIndex> every(rows.view().rows());
  std::iota(every.begin(), every.end(), 0);
  for (const Candidate& candidate : candidates) {
    const int width = first_width(candidate, problem_.classes);
    if (!(candidate.representation == representation) || fitted.bases.contains(width)) continue;
    TrainingOptions options = training_;
    options.hidden = candidate.hidden;
    const Head initial = initial_head(rows.columns, problem_.classes, options);
    const Matrix& kernel = initial.layers.front().kernel;
    fitted.bases[width] = {fitted.kernel_matrix,
                           std::make_shared<const Matrix>(sparse_product(tiled, every, kernel, workers_)),
                           squared_norm(kernel, workers_)};
  }
  return fitted;
}

FoldCurve CrossValidation::run(const Candidate& candidate, const Fold& fold, std::size_t index,
                               int epochs) const {
  const auto shared = std::find_if(fitted_.begin(), fitted_.end(), [&](const auto& known) {
    return known.first == candidate.representation;
  });
  if (shared == fitted_.end()) refuse_problem("it was not made for this candidate");
  const Fitted& fitted = shared->second[shared->second.size() == 1 ? 0 : index];
  TrainingOptions options =
      options_of(candidate, mean_square_of(*fitted.kernel_matrix, fold.training), epochs, training_);
  options.threads = 1;  // runs share the threads
  const TrainingData data{problem_.maps, problem_.labels, fold.training, fold.measured, problem_.classes};
  std::vector<std::int32_t> labels;
  for (const RowIndex row : fold.measured) labels.push_back(problem_.labels[static_cast<std::size_t>(row)]);
  FoldCurve curve;
  TrainingHooks hooks;
  hooks.cancellation = cancellation_;
  hooks.on_validation = [&](const Matrix& logits) {
    Matrix gradient = logits;
    const BatchLoss loss = softmax_cross_entropy(gradient, labels, {});
    curve.cross_entropy.push_back(loss.loss);
    curve.correct.push_back(loss.correct);
    curve.last_logits = logits;
  };
  GramSolver first(fitted.bases.at(first_width(candidate, problem_.classes)), fold.training, 1);
  try {
    static_cast<void>(train_layers(data, first, initial_layers(options, problem_.classes), options, hooks));
  } catch (const Divergence&) {
    curve.diverged = true;
  }
  return curve;
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

Matrix CrossValidation::out_of_fold_logits(const Candidate& candidate, int epochs) const {
  std::vector<FoldCurve> curves(folds_.size());
  run_on_free_threads(folds_.size(), training_.threads,
                      [&](std::size_t f) { curves[f] = run(candidate, folds_[f], f, epochs); });
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
                         const TrainingOptions& options, const Cancellation& cancellation) {
  const Fold fold{{training.begin(), training.end()}, {others.begin(), others.end()}};
  const CrossValidation validation(problem, {fold}, std::span(&candidate, 1), options, cancellation);
  FoldCurve curve = validation.run(candidate, fold, 0, epochs);
  if (curve.diverged) throw Divergence("cross-validation: the candidate diverges");
  return std::move(curve.last_logits);
}

std::int64_t cross_validation_bytes(std::int64_t rows, std::int64_t folds, int classes,
                                    std::span<const Candidate> candidates) {
  std::set<std::pair<Pooling, Transform>> representations;
  std::set<std::tuple<Pooling, Transform, int>> products;
  std::int64_t floats = 0;
  for (const Candidate& candidate : candidates) {
    const auto& [pooling, transform] = candidate.representation;
    const std::int64_t fits = differs_by_fold(candidate.representation) ? folds : 1;
    const int width = first_width(candidate, classes);
    if (representations.insert({pooling, transform}).second) floats += fits * rows * rows;
    if (products.insert({pooling, transform, width}).second) floats += fits * rows * width;
  }
  return 4 * floats;
}

void run_on_free_threads(std::size_t count, int threads, const std::function<void(std::size_t)>& task) {
  Workers workers(threads);
  std::atomic<std::size_t> next{0};
  workers.for_each(static_cast<std::size_t>(workers.threads()), [&](std::size_t) {
    for (std::size_t i = next++; i < count; i = next++) task(i);
  });
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
