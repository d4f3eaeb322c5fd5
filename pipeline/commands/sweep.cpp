// pipeline/commands/sweep.cpp
#include "pipeline/commands/sweep.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "data/dataset/split.hpp"
#include "data/error.hpp"
#include "head/divergence.hpp"
#include "head/insight/metrics.hpp"
#include "head/layers/kernel_matrix.hpp"
#include "head/layers/solver.hpp"
#include "head/representation/dense_representation.hpp"
#include "head/search/calibration.hpp"
#include "head/search/cross_validation.hpp"
#include "head/search/ridge.hpp"
#include "pipeline/commands/sweep_plan.hpp"
#include "pipeline/process/console.hpp"
#include "pipeline/rows/pooled_memory.hpp"
#include "pipeline/run/inspection.hpp"

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
  problem.flattened = input.rows.flattened.view();
  problem.source = input.rows.source ? &*input.rows.source : nullptr;
  problem.source_nonzeros = input.rows.nonzeros;
  for (const auto& [pooling, rows] : input.rows.pooled) problem.pooled[pooling] = rows.view();
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
  training.processes = session.processes;
  if (options.class_weight == ClassWeight::kBalanced) {
    training.class_weights = balanced_class_weights(input.labels, input.images, classes);
  }
  return training;
}

/// The error if all candidates diverge. The error is not expected if one learning rate suits the features.
Error diverged(std::string_view where) {
  return Error{Error::Kind::kFailed, "no configuration converges", where, "lower the --rates"};
}

int number_of_folds(const SearchProblem& problem) {
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
  std::vector<double> rows(static_cast<std::size_t>(number_of_folds(problem)), 0.0);
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

// Bytes of a ridge regression on this number of images.
std::int64_t ridge_bytes(std::size_t images) {
  const auto rows = static_cast<std::int64_t>(images);
  return kRidgeBytesPerPair * rows * rows;
}

/// The problem's rows in a representation, dense, a block at a time.
RowBlocks blocks_of(const AffineRows& rows, std::span<const RowIndex> which_of) {
  return {static_cast<Eigen::Index>(which_of.size()), rows.columns(),
          [rows, which_of](std::span<const RowIndex> which, Matrix& block) {
            std::vector<RowIndex> places;
            for (const RowIndex row : which) places.push_back(which_of[static_cast<std::size_t>(row)]);
            block = matrix_of(rows, places);
          }};
}

// The products of the problem's flattened rows in a representation, [rows, rows].
Matrix kernel_of(const SearchProblem& problem, Transform transform, Workers& workers) {
  const SparseRows rows = apply(fit_transform(transform, problem.flattened, problem.rows), problem.flattened);
  return kernel_matrix(TiledRows(rows.view(), kTileFeatures), problem.rows, workers);
}

// @param groups  [problem.rows.size()]: rows that are left out together
std::vector<RidgeScore> ridge_scores(const SearchProblem& problem, std::span<const std::int32_t> groups,
                                     std::span<const Candidate> candidates, const Cancellation& cancellation,
                                     const Session& session) {
  std::vector<RidgeScore> scores;
  const std::vector<std::int32_t> labels = labels_of(problem, problem.rows);
  const std::vector<Representation> representations = representations_of(candidates);
  for (std::size_t r = 0; r < representations.size(); ++r) {
    const auto& [pooling, transform] = representations[r];
    if (!is_dense(pooling) && problem.source != nullptr) continue;
    const std::size_t side =
        std::min(problem.rows.size(), static_cast<std::size_t>(problem.columns(pooling)));
    if (side > kMaxRidgeSide || ridge_bytes(side) > bytes_for_rows()) continue;
    const auto show = [&](double share) {
      session.console.progress("ridge regression",
                               (static_cast<double>(r) + share) / static_cast<double>(representations.size()),
                               "");
    };
    show(0.0);
    const RidgeWork work{.threads = session.threads,
                         .cancellation = cancellation,
                         .progress = [&](std::size_t done, std::size_t total) {
                           show(static_cast<double>(done) / static_cast<double>(total));
                         }};
    TransformedRows transformed;
    std::optional<RidgeRegression> ridge;
    if (is_dense(pooling)) {
      const DenseRowsView pooled = problem.pooled.at(pooling);
      transformed = TransformedRows(fit_transform(transform, pooled, problem.rows), pooled, session.threads);
      ridge.emplace(blocks_of(transformed.rows(), problem.rows), labels, problem.classes, work);
    } else {
      Workers workers(session.threads, cancellation);
      ridge.emplace(kernel_of(problem, transform, workers), labels, problem.classes, work);
    }
    const RidgeBaseline baseline = ridge->leave_out(ridge->default_lambdas(), groups);
    scores.push_back(
        {representations[r], baseline.lambdas[baseline.best], baseline.accuracies[baseline.best]});
  }
  std::stable_sort(scores.begin(), scores.end(),
                   [](const RidgeScore& a, const RidgeScore& b) { return a.accuracy > b.accuracy; });
  return scores;
}

bool has_rows(const SearchProblem& problem, Pooling pooling) {
  if (is_dense(pooling)) return problem.pooled.contains(pooling);
  return problem.flattened.rows() > 0 || problem.source != nullptr;
}

// Mean |x|^2 of the problem's rows as they are.
double mean_square_of(const SearchProblem& problem, Pooling pooling) {
  if (!is_dense(pooling)) return mean_squared_norm(problem.flattened, problem.rows);
  return sum_of_squares(AffineRows{.rows = problem.pooled.at(pooling)}, problem.rows) /
         static_cast<double>(problem.rows.size());
}

// The recipe's cross-validated result, to compare with the sweep; of a large set, on a part.
std::optional<RecipeScore> recipe_score(const SearchProblem& problem, Candidate candidate,
                                        const TrainingOptions& training, std::int64_t gram_bytes,
                                        const Cancellation& cancellation, const Session& session) {
  if (!has_rows(problem, candidate.representation.pooling)) return std::nullopt;
  SearchProblem part = part_of(problem, kMostRecipeImages, training.seed);
  SparseRows read;  // of a source
  if (part.source != nullptr && !is_dense(candidate.representation.pooling)) {
    read = read_flattened(part);
    part.flattened = read.view();
    part.source = nullptr;
  }
  TrainingOptions recipe;
  candidate.rate = recipe.learning_rate * mean_square_of(part, candidate.representation.pooling);
  recipe.threads = training.threads;
  recipe.seed = training.seed;
  CrossValidation validation(part, recipe, gram_bytes, cancellation);
  const double folds = static_cast<double>(validation.folds().size());
  double done = 0.0;
  try {
    const Matrix logits = validation.out_of_fold_logits(
        candidate, recipe.epochs, [&] { session.console.progress("train's defaults", ++done / folds, ""); });
    return RecipeScore{candidate, out_of_fold(logits, part, 1.0), part.rows.size()};
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
                       SearchOptions search_with, std::int64_t gram_bytes, const Cancellation& cancellation,
                       const Session& session) {
  Matrix logits(static_cast<Eigen::Index>(outer.rows.size()), outer.classes);
  Matrix uncalibrated = logits;
  const int folds = number_of_folds(outer);
  for (int f = 0; f < folds; ++f) {
    const std::string where = fmt::format("outer fold {}/{}", f + 1, folds);
    std::vector<RowIndex> inner;
    std::vector<RowIndex> held_out;
    for (std::size_t i = 0; i < outer.rows.size(); ++i) {
      (outer.folds[i] == f ? held_out : inner).push_back(outer.rows[i]);
    }
    const SearchProblem problem = problem_of(input, dataset, inner, folds, training.seed);
    search_with.on_progress = [&](double share) { session.console.progress(where, share, ""); };
    const SearchResult result = search(problem, candidates, training, search_with, gram_bytes, cancellation);
    const CandidateScore& winner = winner_of(result, where);
    const double temperature = fit_temperature(result.out_of_fold, labels_of(problem, problem.rows));
    std::vector<RowIndex> rows = problem.rows;
    rows.insert(rows.end(), problem.views.begin(), problem.views.end());
    Matrix found;
    try {
      found = train_and_predict(problem, winner.candidate, winner.epochs, rows, held_out, training,
                                gram_bytes, cancellation);
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

// One line for each representation of each round.
std::vector<std::string> describe_solvers(const SearchResult& result) {
  std::vector<std::string> lines;
  for (const RoundSolver& of : result.solvers) {
    lines.push_back(fmt::format("round {}: {}, {}: {}", of.round + 1, to_string(of.representation.pooling),
                                to_string(of.representation.transform), to_string(of.solver)));
  }
  return lines;
}

}  // namespace

Sweep run_sweep(const SweepInput& input, const ExtractedDataset& dataset, const TrainOptions& options,
                std::int64_t gram_bytes, const Cancellation& cancellation, const Session& session) {
  const auto start = std::chrono::steady_clock::now();
  const SweepOptions& wanted = *options.sweep;
  const SearchProblem problem = problem_of(input, dataset, input.images, wanted.folds, options.training.seed);
  const std::vector<Candidate> candidates = candidates_of(wanted.space);
  const TrainingOptions training = training_options(options, problem.classes, input, session);
  // Copies of an image, and images of a group, would tell each other's class.
  const std::vector<std::int32_t> of_images = known_groups(dataset);
  std::vector<std::int32_t> groups;
  for (const RowIndex row : problem.rows) groups.push_back(of_images[static_cast<std::size_t>(row)]);
  Sweep sweep;
  sweep.ridge = ridge_scores(problem, groups, candidates, cancellation, session);
  if (!sweep.ridge.empty()) {
    const RidgeScore& best = sweep.ridge.front();
    fmt::print(
        "baseline: ridge regression, leave-one-out on {} images: accuracy {:.4f} ({}, {}, lambda {:.3g})\n",
        problem.rows.size(), best.accuracy, to_string(best.representation.pooling),
        to_string(best.representation.transform), best.lambda);
  }
  sweep.recipe =
      recipe_score(problem, recipe_candidate(options), training, gram_bytes, cancellation, session);
  session.console.progress_done();
  if (sweep.recipe) {
    fmt::print("baseline: train's defaults on {} folds of {} images: accuracy {:.4f} +- {:.4f}\n",
               wanted.folds, sweep.recipe->images, sweep.recipe->score.accuracy,
               sweep.recipe->score.deviation);
  }
  std::fflush(stdout);

  const auto elapsed = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  SearchOptions search_with = search_options(wanted, elapsed());
  search_with.on_progress = [&](double share) { session.console.progress("sweep", share, ""); };
  sweep.search = search(problem, candidates, training, search_with, gram_bytes, cancellation);
  session.console.progress_done();
  for (const std::string& line : describe_solvers(sweep.search)) session.console.detail(line);
  const CandidateScore& best = winner_of(sweep.search, "sweep");
  sweep.temperature = fit_temperature(sweep.search.out_of_fold, labels_of(problem, problem.rows));
  sweep.best = out_of_fold(sweep.search.out_of_fold, problem, sweep.temperature);
  if (wanted.learning_curve) {
    CrossValidation validation(problem, training, gram_bytes, cancellation);
    sweep.learning_curve = learning_curve(validation, best.candidate, best.epochs, [&](double done) {
      session.console.progress("learning curve", done, "");
    });
    session.console.progress_done();
  }
  if (wanted.nested) {
    sweep.nested = nested_score(input, dataset, problem, candidates, training, search_options(wanted, 0.0),
                                gram_bytes, cancellation, session);
  }
  sweep.seconds = elapsed();
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
