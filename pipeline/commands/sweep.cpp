// pipeline/commands/sweep.cpp
#include "pipeline/commands/sweep.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string_view>
#include <utility>

#include "data/dataset/split.hpp"
#include "data/error.hpp"
#include "head/divergence.hpp"
#include "head/insight/metrics.hpp"
#include "head/layers/kernel_matrix.hpp"
#include "head/layers/solver.hpp"
#include "head/search/calibration.hpp"
#include "head/search/ridge.hpp"
#include "pipeline/process/console.hpp"

namespace headstart {
namespace {

std::vector<std::int32_t> labels_of(const SearchProblem& problem, std::span<const RowIndex> rows) {
  std::vector<std::int32_t> labels;
  labels.reserve(rows.size());
  for (const RowIndex row : rows) labels.push_back(problem.labels[static_cast<std::size_t>(row)]);
  return labels;
}

SearchProblem problem_of(const SweepInput& input, const ExtractedDataset& dataset,
                         std::span<const RowIndex> images, int folds, std::uint64_t seed) {
  SearchProblem problem;
  problem.maps = input.maps;
  problem.channels = input.channels;
  problem.labels = input.labels;
  problem.classes = static_cast<int>(dataset.manifest.classes.size());
  problem.rows.assign(images.begin(), images.end());
  std::vector<std::size_t> samples;
  std::vector<std::size_t> position(dataset.used.size(), images.size());  // of an image in `images`
  for (std::size_t i = 0; i < images.size(); ++i) {
    samples.push_back(dataset.used[static_cast<std::size_t>(images[i])]);
    position[static_cast<std::size_t>(images[i])] = i;
  }
  problem.folds = draw_folds(dataset.manifest, samples, dataset.content, folds, seed);
  for (std::size_t v = 0; v < input.views.size(); ++v) {
    const std::size_t image = position[static_cast<std::size_t>(input.view_images[v])];
    if (image == images.size()) continue;  // a view of an image that is held out here
    problem.views.push_back(input.views[v]);
    problem.view_images.push_back(image);
  }
  return problem;
}

TrainingOptions training_options(const TrainOptions& options, int classes, const SweepInput& input,
                                 const Session& session) {
  TrainingOptions training = options.training;
  training.threads = session.threads;
  if (options.class_weight == ClassWeight::kBalanced) {
    training.class_weights = balanced_class_weights(input.labels, input.images, classes);
  }
  return training;
}

/// The error if all candidates diverge. The error is not expected if one learning rate suits the features.
Error diverged(std::string_view where) {
  return Error{Error::Kind::kFailed, "no configuration converges", where, "lower the --rates"};
}

int folds_of(const SearchProblem& problem) {
  return 1 + *std::max_element(problem.folds.begin(), problem.folds.end());
}

OutOfFold out_of_fold(const Matrix& logits, const SearchProblem& problem, double temperature) {
  const std::vector<std::int32_t> labels = labels_of(problem, problem.rows);
  const Metrics before = evaluate_logits(logits, labels);
  const Metrics after = evaluate_logits(logits / static_cast<float>(temperature), labels);
  OutOfFold result;
  result.cross_entropy = after.cross_entropy;
  result.calibration_error_before = before.expected_calibration_error;
  result.calibration_error = after.expected_calibration_error;
  std::vector<double> rows(static_cast<std::size_t>(folds_of(problem)), 0.0);
  std::vector<double> accuracies(rows.size(), 0.0);
  const std::vector<std::int32_t> predicted = predicted_classes(logits);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto fold = static_cast<std::size_t>(problem.folds[i]);
    rows[fold] += 1.0;
    if (predicted[i] == labels[i]) accuracies[fold] += 1.0;
  }
  for (std::size_t f = 0; f < rows.size(); ++f) accuracies[f] /= rows[f];
  const MeanAndDeviation over_folds = mean_and_deviation(accuracies);
  result.accuracy = over_folds.mean;
  result.deviation = over_folds.deviation;
  return result;
}

std::vector<Representation> representations_of(std::span<const Candidate> candidates) {
  std::vector<Representation> representations;
  for (const Candidate& candidate : candidates) {
    if (std::find(representations.begin(), representations.end(), candidate.representation) ==
        representations.end()) {
      representations.push_back(candidate.representation);
    }
  }
  return representations;
}

std::int64_t allowed_bytes() { return available_memory() / 5 * 2; }

// Bytes of a ridge regression on this number of images.
std::int64_t ridge_bytes(std::size_t images) {
  const auto rows = static_cast<std::int64_t>(images);
  return kRidgeBytesPerPair * rows * rows;
}

std::vector<RidgeScore> ridge_scores(const SearchProblem& problem, std::span<const Candidate> candidates,
                                     int threads, const Cancellation& cancellation) {
  if (problem.rows.size() > kMaxRidgeRows || ridge_bytes(problem.rows.size()) > allowed_bytes()) return {};
  std::vector<RidgeScore> scores;
  const std::vector<std::int32_t> labels = labels_of(problem, problem.rows);
  for (const Representation& representation : representations_of(candidates)) {
    const SparseRows pooled = pool(problem.maps, problem.channels, representation.pooling, threads);
    const SparseRows rows =
        apply(fit_transform(representation.transform, pooled.view(), problem.rows), pooled.view());
    Workers workers(threads, cancellation);
    const RidgeRegression ridge(kernel_matrix(TiledRows(rows.view(), kTileFeatures), problem.rows, workers),
                                cancellation);
    const RidgeBaseline baseline = ridge.leave_one_out(labels, problem.classes, ridge.default_lambdas());
    scores.push_back({representation, baseline.lambdas[baseline.best], baseline.accuracies[baseline.best]});
  }
  std::stable_sort(scores.begin(), scores.end(),
                   [](const RidgeScore& a, const RidgeScore& b) { return a.accuracy > b.accuracy; });
  return scores;
}

// train's defaults; the rate depends on the rows. Rows that come pooled from a file stay so.
Candidate recipe_candidate(const TrainOptions& options) {
  const TrainingOptions recipe;
  return {{.pooling = options.representation.pooling}, recipe.hidden, 0.0, recipe.l2};
}

// The recipe's cross-validated result, to compare with the sweep.
std::optional<RecipeScore> recipe_score(const SearchProblem& problem, Candidate candidate,
                                        const TrainingOptions& training, const Cancellation& cancellation) {
  TrainingOptions recipe;
  candidate.rate = recipe.learning_rate * mean_squared_norm(problem.maps, problem.rows);
  recipe.threads = training.threads;
  recipe.seed = training.seed;
  try {
    const CrossValidation validation(problem, std::span(&candidate, 1), recipe, cancellation);
    return RecipeScore{candidate,
                       out_of_fold(validation.out_of_fold_logits(candidate, recipe.epochs), problem, 1.0)};
  } catch (const Divergence&) {
    return std::nullopt;  // diverges on features of this scale
  }
}

/// The best candidate of a search. @throws Error if all diverged
const CandidateScore& winner_of(const SearchResult& result, std::string_view where) {
  if (result.scores.front().epochs == 0) throw diverged(where);
  return result.scores.front();
}

// For each outer fold: a whole search without this fold, then the predictions of its winner for it.
OutOfFold nested_score(const SweepInput& input, const ExtractedDataset& dataset, const SearchProblem& outer,
                       std::span<const Candidate> candidates, const TrainingOptions& training,
                       SearchOptions search_with, const Cancellation& cancellation, const Session& session) {
  Matrix logits(static_cast<Eigen::Index>(outer.rows.size()), outer.classes);
  Matrix uncalibrated = logits;
  const int folds = folds_of(outer);
  for (int f = 0; f < folds; ++f) {
    const std::string where = fmt::format("outer fold {}/{}", f + 1, folds);
    std::vector<RowIndex> inner;
    std::vector<RowIndex> held_out;
    for (std::size_t i = 0; i < outer.rows.size(); ++i) {
      (outer.folds[i] == f ? held_out : inner).push_back(outer.rows[i]);
    }
    const SearchProblem problem = problem_of(input, dataset, inner, folds, training.seed);
    search_with.on_run = [&](std::size_t done, std::size_t total) {
      session.console.progress(where, done, total, "runs", "");
    };
    const SearchResult result =
        search(CrossValidation(problem, candidates, training, cancellation), candidates, search_with);
    const CandidateScore& winner = winner_of(result, where);
    const double temperature = fit_temperature(result.out_of_fold, labels_of(problem, problem.rows));
    std::vector<RowIndex> rows = problem.rows;
    rows.insert(rows.end(), problem.views.begin(), problem.views.end());
    Matrix found;
    try {
      found =
          train_and_predict(problem, winner.candidate, winner.epochs, rows, held_out, training, cancellation);
    } catch (const Divergence&) {
      throw diverged(where);
    }
    Eigen::Index next = 0;
    for (std::size_t i = 0; i < outer.rows.size(); ++i) {
      if (outer.folds[i] != f) continue;
      uncalibrated.row(static_cast<Eigen::Index>(i)) = found.row(next);
      logits.row(static_cast<Eigen::Index>(i)) = found.row(next++) / static_cast<float>(temperature);
    }
  }
  session.console.progress_done();
  OutOfFold score = out_of_fold(logits, outer, 1.0);
  score.calibration_error_before =
      evaluate_logits(uncalibrated, labels_of(outer, outer.rows)).expected_calibration_error;
  return score;
}

}  // namespace

void check_sweep_memory(std::size_t rows, int classes, const TrainOptions& options) {
  // The recipe comes first, then the search. A ridge regression that does not fit is left out.
  const Candidate recipe = recipe_candidate(options);
  const auto bytes_of = [&](std::span<const Candidate> candidates) {
    return cross_validation_bytes(static_cast<std::int64_t>(rows), options.sweep->folds, classes, candidates);
  };
  const std::int64_t needed =
      std::max(bytes_of(std::span(&recipe, 1)), bytes_of(candidates_of(options.sweep->space)));
  const std::int64_t allowed = allowed_bytes();
  if (needed <= allowed) return;
  throw Error{Error::Kind::kData, "cannot sweep the dataset",
              fmt::format("{} images and views: the search would keep {} of products, and {} are allowed",
                          rows, format_bytes(static_cast<std::uint64_t>(needed)),
                          format_bytes(static_cast<std::uint64_t>(allowed))),
              "try fewer --poolings, --transforms or --hidden, or a part of the images"};
}

Sweep run_sweep(const SweepInput& input, const ExtractedDataset& dataset, const TrainOptions& options,
                const Cancellation& cancellation, const Session& session) {
  const auto start = std::chrono::steady_clock::now();
  const SweepOptions& wanted = *options.sweep;
  const SearchProblem problem = problem_of(input, dataset, input.images, wanted.folds, options.training.seed);
  const std::vector<Candidate> candidates = candidates_of(wanted.space);
  const TrainingOptions training = training_options(options, problem.classes, input, session);
  Sweep sweep;
  sweep.ridge = ridge_scores(problem, candidates, session.threads, cancellation);
  if (!sweep.ridge.empty()) {
    const RidgeScore& best = sweep.ridge.front();
    fmt::print(
        "baseline: ridge regression, leave-one-out on {} images: accuracy {:.4f} ({}, {}, lambda {:.3g})\n",
        problem.rows.size(), best.accuracy, to_string(best.representation.pooling),
        to_string(best.representation.transform), best.lambda);
  }
  sweep.recipe = recipe_score(problem, recipe_candidate(options), training, cancellation);
  if (sweep.recipe) {
    fmt::print("baseline: train's defaults on the same {} folds: accuracy {:.4f} +- {:.4f}\n", wanted.folds,
               sweep.recipe->score.accuracy, sweep.recipe->score.deviation);
  }
  std::fflush(stdout);

  SearchOptions search_with;
  search_with.rounds = wanted.rounds;
  search_with.on_run = [&](std::size_t done, std::size_t total) {
    session.console.progress("sweep", done, total, "runs", "");
  };
  const CrossValidation validation(problem, candidates, training, cancellation);
  sweep.search = search(validation, candidates, search_with);
  session.console.progress_done();
  const CandidateScore& best = winner_of(sweep.search, "sweep");
  sweep.temperature = fit_temperature(sweep.search.out_of_fold, labels_of(problem, problem.rows));
  sweep.best = out_of_fold(sweep.search.out_of_fold, problem, sweep.temperature);
  if (wanted.learning_curve) sweep.learning_curve = learning_curve(validation, best.candidate, best.epochs);
  if (wanted.nested) {
    sweep.nested =
        nested_score(input, dataset, problem, candidates, training, search_with, cancellation, session);
  }
  sweep.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return sweep;
}

TrainOptions chosen_options(const Sweep& sweep, double mean_square, TrainOptions options) {
  const CandidateScore& best = sweep.search.scores.front();
  options.representation = best.candidate.representation;
  options.training = options_of(best.candidate, mean_square, best.epochs, options.training);
  options.early_stopping = 0;
  options.temperature = sweep.temperature;
  options.rate = best.candidate.rate;
  return options;
}

}  // namespace headstart
