// tests/head/search/search_test.cpp: cross-validation that does not leak, and halving, on a small set that
// pooling and a transform make learnable.
#include "head/search/search.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "head/representation/dense_representation.hpp"
#include "head/search/fold_training.hpp"
#include "head/search/learning_curve.hpp"
#include "memory/dense_rows.hpp"
#include "tests/head/layers/sparse_matrix.hpp"

namespace headstart::test {
namespace {

constexpr Eigen::Index kMapPositions = 4;
constexpr Eigen::Index kMapChannels = 12;
constexpr int kSearchClasses = 3;

// Maps whose class is a channel that is large at some position; the last `views` rows are noisy copies of the
// first rows.
struct SearchExample {
  explicit SearchExample(int images = 60, int views = 12) {
    Random random(71);
    dense = Matrix::Zero(images + views, kMapPositions * kMapChannels);
    for (Eigen::Index row = 0; row < images; ++row) {
      const auto label = static_cast<Eigen::Index>(random.below(kSearchClasses));
      labels.push_back(static_cast<std::int32_t>(label));
      for (Eigen::Index i = 0; i < dense.cols(); ++i) {
        if (random.uniform() < 0.4F) dense(row, i) = random.uniform();
      }
      const auto position = static_cast<Eigen::Index>(random.below(kMapPositions));
      dense(row, position * kMapChannels + label) += 1.0F + random.uniform();
    }
    for (Eigen::Index view = 0; view < views; ++view) {
      dense.row(images + view) = 0.9F * dense.row(view);
      labels.push_back(labels[static_cast<std::size_t>(view)]);
    }
    matrix = sparse(dense);
    fill_pooled(matrix);
    problem = problem_with(matrix);
    for (RowIndex row = 0; row < images; ++row) {
      problem.rows.push_back(row);
      problem.folds.push_back(row % 4);
    }
    for (int view = 0; view < views; ++view) {
      problem.views.push_back(images + view);
      problem.view_images.push_back(static_cast<std::size_t>(view));
    }
  }

  // The pooled rows of other maps.
  void fill_pooled(const SparseMatrix& maps) {
    for (const Pooling pooling : {Pooling::kAverage, Pooling::kMaximum}) {
      pooled[pooling] = std::make_shared<DenseRows>(labels.size(), kMapChannels);
      pool_dense(maps.view(), kMapChannels, pooling, 1, pooled[pooling]->values());
    }
  }
  [[nodiscard]] SearchProblem problem_with(const SparseMatrix& maps) const {
    SearchProblem result = problem;
    result.flattened = maps.view();
    for (const auto& [pooling, rows] : pooled) result.pooled[pooling] = rows->view();
    result.labels = labels;
    result.classes = kSearchClasses;
    return result;
  }

  Matrix dense;
  std::vector<std::int32_t> labels;
  SparseMatrix matrix;
  std::map<Pooling, std::shared_ptr<DenseRows>> pooled;
  SearchProblem problem;
};

constexpr std::int64_t kEnough = std::int64_t{1} << 30;  // bytes

TrainingOptions short_training(int threads = 2) {
  TrainingOptions training;
  training.batch = 8;
  training.seed = 3;
  training.threads = threads;
  return training;
}

SearchOptions small_search() {
  SearchOptions options;
  options.epochs = {2, 6};
  return options;
}

SearchResult search_in(const SearchProblem& problem, const std::vector<Candidate>& candidates,
                       const SearchOptions& options, const TrainingOptions& training = short_training()) {
  return search(problem, candidates, training, options, kEnough);
}

Matrix out_of_fold(const SearchProblem& problem, const Candidate& candidate, int epochs) {
  return CrossValidation(problem, short_training(), kEnough).out_of_fold_logits(candidate, epochs);
}

std::vector<Candidate> small_candidates() {
  SearchSpace space;
  space.hidden = {{}, {9}};
  space.rates = {0.1, 1.0};
  space.l2 = {1e-4};
  return candidates_of(space);
}

Candidate pooled_candidate() { return {{Pooling::kMaximum, Transform::kStandardize}, {9}, 0.3, 1e-3}; }

TEST(SearchTest, CandidatesAreEveryCombinationButDenseFlattenedRows) {
  const std::vector<Candidate> candidates = candidates_of({});
  EXPECT_EQ(candidates.size(), (3U * 3U - 1U) * 2U * 4U * 3U);
  for (const Candidate& candidate : candidates) {
    EXPECT_FALSE(candidate.representation == (Representation{Pooling::kFlatten, Transform::kStandardize}));
    EXPECT_EQ(std::count(candidates.begin(), candidates.end(), candidate), 1);
  }
}

TEST(SearchTest, FindsAConfigurationThatGeneralisesAndSaysHowItDid) {
  const SearchExample example;
  const std::vector<Candidate> candidates = small_candidates();
  const SearchResult result = search_in(example.problem, candidates, small_search());
  ASSERT_EQ(result.scores.size(), candidates.size());
  const CandidateScore& best = result.scores.front();
  EXPECT_GT(best.accuracy, 0.8);
  EXPECT_EQ(best.round, 1);
  ASSERT_EQ(best.fold_accuracies.size(), 4U);
  // What is said is what its logits out of fold say.
  ASSERT_EQ(result.out_of_fold.rows(), 60);
  std::vector<double> correct(4, 0.0);
  for (Eigen::Index i = 0; i < 60; ++i) {
    Eigen::Index predicted = 0;
    result.out_of_fold.row(i).maxCoeff(&predicted);
    if (predicted == example.labels[static_cast<std::size_t>(i)])
      correct[static_cast<std::size_t>(i % 4)] += 1;
  }
  for (std::size_t f = 0; f < 4; ++f) EXPECT_DOUBLE_EQ(best.fold_accuracies[f], correct[f] / 15.0);
}

TEST(SearchTest, AThirdOfTheCandidatesGoesOnAndLeads) {
  const SearchExample example;
  const std::vector<Candidate> candidates = small_candidates();  // 32
  const SearchResult result = search_in(example.problem, candidates, small_search());
  std::size_t later = 0;
  for (const CandidateScore& score : result.scores) later += score.round == 1 ? 1 : 0;
  EXPECT_EQ(later, (candidates.size() + 2) / 3);
  for (std::size_t i = 0; i < later; ++i) EXPECT_EQ(result.scores[i].round, 1) << i;
  for (std::size_t i = 1; i < later; ++i) EXPECT_GE(result.scores[i - 1].accuracy, result.scores[i].accuracy);
}

TEST(SearchTest, TheResultDoesNotDependOnTheThreadCount) {
  const SearchExample example;
  const std::vector<Candidate> candidates = small_candidates();
  const SearchResult one = search_in(example.problem, candidates, small_search(), short_training(1));
  const SearchResult three = search_in(example.problem, candidates, small_search(), short_training(3));
  ASSERT_EQ(one.scores.size(), three.scores.size());
  for (std::size_t i = 0; i < one.scores.size(); ++i) {
    EXPECT_EQ(one.scores[i].candidate, three.scores[i].candidate) << i;
    EXPECT_EQ(one.scores[i].cross_entropy, three.scores[i].cross_entropy) << i;
  }
  EXPECT_EQ(one.out_of_fold, three.out_of_fold);
}

TEST(SearchTest, AFoldIsTrainedAsTrainHeadDoesIt) {
  const SearchExample example;
  const Candidate candidate = pooled_candidate();
  const Matrix found = out_of_fold(example.problem, candidate, 5);
  const SparseRows pooled = pool(example.matrix.view(), kMapChannels, Pooling::kMaximum, 1);
  for (int fold = 0; fold < 4; ++fold) {
    std::vector<RowIndex> training;
    std::vector<RowIndex> measured;
    for (const RowIndex row : example.problem.rows) (row % 4 == fold ? measured : training).push_back(row);
    for (std::size_t v = 0; v < example.problem.views.size(); ++v) {
      if (static_cast<int>(v) % 4 != fold) training.push_back(example.problem.views[v]);
    }
    const SparseRows rows =
        apply(fit_transform(Transform::kStandardize, pooled.view(), training), pooled.view());
    TrainingOptions training_options =
        options_of(candidate, mean_squared_norm(rows.view(), training), 5, short_training());
    training_options.solver = Solver::kPrimal;
    const TrainingData data{rows.view(), example.labels, training, {}, kSearchClasses};
    const TrainingResult result =
        train_head(data, initial_head(kMapChannels, kSearchClasses, training_options), training_options);
    const Matrix expected = predict_logits(result.head, rows.view(), measured);
    for (std::size_t i = 0; i < measured.size(); ++i) {
      EXPECT_LT((found.row(measured[i]) - expected.row(static_cast<Eigen::Index>(i))).norm(),
                1e-4F * expected.norm())
          << measured[i];
    }
  }
}

TEST(SearchTest, AFoldsOwnLabelsRowsAndViewsTakeNoPartInItsLogits) {
  const SearchExample example;
  for (const Candidate& candidate :
       {pooled_candidate(), Candidate{{Pooling::kFlatten, Transform::kUnit}, {}, 1.0, 1e-4}}) {
    const Matrix before = out_of_fold(example.problem, candidate, 4);
    SearchExample changed = example;
    Matrix dense = example.dense;
    for (const RowIndex row : {1, 5}) {  // of fold 1, with views
      changed.labels[static_cast<std::size_t>(row)] = (changed.labels[static_cast<std::size_t>(row)] + 1) % 3;
      changed.labels[static_cast<std::size_t>(60 + row)] = changed.labels[static_cast<std::size_t>(row)];
      dense.row(60 + row) *= 7.0F;
    }
    dense.row(5) *= 3.0F;
    const SparseMatrix maps = sparse(dense);
    changed.fill_pooled(maps);
    const Matrix after = out_of_fold(changed.problem_with(maps), candidate, 4);
    int same = 0;
    for (Eigen::Index i = 0; i < 60; ++i) {
      if (i % 4 == 1 && i != 5) {
        EXPECT_EQ(after.row(i), before.row(i)) << i;
      }
      same += after.row(i) == before.row(i) ? 1 : 0;
    }
    EXPECT_LT(same, 20);  // the other folds did train on it
  }
}

TEST(SearchTest, WhatDivergesComesLast) {
  const SearchExample example;
  const std::vector<Candidate> candidates{{{Pooling::kMaximum, Transform::kUnit}, {9}, 1e30, 1e-4},
                                          pooled_candidate()};
  SearchOptions options = small_search();
  options.epochs = {3};
  const SearchResult result = search_in(example.problem, candidates, options);
  EXPECT_EQ(result.scores.front().candidate, pooled_candidate());
  EXPECT_TRUE(std::isinf(result.scores.back().cross_entropy));
  EXPECT_EQ(result.scores.back().epochs, 0);
}

TEST(SearchTest, EndsInTheMiddleOfARunWhenAsked) {
  const SearchExample example;
  std::atomic<bool> stop{false};
  const Cancellation cancellation([&] { return stop.load(); });
  const std::vector<Candidate> candidates = small_candidates();
  SearchOptions options = small_search();
  int calls = 0;
  double before = 0.0;
  options.on_progress = [&](double share) {
    EXPECT_GE(share, before);
    EXPECT_LE(share, 1.0);
    before = share;
    stop = ++calls == 5;
  };
  EXPECT_THROW(static_cast<void>(
                   search(example.problem, candidates, short_training(1), options, kEnough, cancellation)),
               Cancelled);
  EXPECT_EQ(calls, 5);
  stop = true;
  CrossValidation validation(example.problem, short_training(1), kEnough, cancellation);
  EXPECT_THROW(static_cast<void>(validation.out_of_fold_logits(candidates.front(), 2)), Cancelled);
  EXPECT_THROW(static_cast<void>(learning_curve(validation, candidates.front(), 2)), Cancelled);
}

// What the runtime_error that `action` throws says, or nothing.
std::string failure_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

TEST(SearchTest, WhatFailsInARunIsNoDivergence) {
  const SearchExample example;
  const auto fail_after = [](int checks) {
    return Cancellation([left = std::make_shared<std::atomic<int>>(checks)]() -> bool {
      if (--*left < 0) throw std::runtime_error("a disk is gone");
      return false;
    });
  };
  const std::vector<Candidate> candidates{pooled_candidate()};
  int failures = 0;
  for (int checks = 1;; checks *= 2) {
    const std::string message = failure_of([&] {
      static_cast<void>(search(example.problem, candidates, short_training(1), small_search(), kEnough,
                               fail_after(checks)));
    });
    if (message.empty()) break;
    EXPECT_EQ(message, "a disk is gone");
    ++failures;
  }
  EXPECT_GE(failures, 5);
  const std::vector<RowIndex> rows(example.problem.rows);
  EXPECT_EQ(failure_of([&] {
              static_cast<void>(train_and_predict(example.problem, pooled_candidate(), 3, rows, rows,
                                                  short_training(1), kEnough, fail_after(20)));
            }),
            "a disk is gone");
}

TEST(SearchTest, TheLearningCurveRisesToAllRows) {
  const SearchExample example;
  CrossValidation validation(example.problem, short_training(), kEnough);
  double share = 0.0;
  const std::vector<LearningCurvePoint> points =
      learning_curve(validation, pooled_candidate(), 6, [&](double done) {
        EXPECT_GT(done, share);
        share = done;
      });
  EXPECT_NEAR(share, 1.0, 0.2);
  ASSERT_GE(points.size(), 4U);
  EXPECT_EQ(points[0].rows_per_class, 1);
  EXPECT_EQ(points[1].rows_per_class, 2);
  for (std::size_t i = 1; i < points.size(); ++i) {
    EXPECT_GT(points[i].training_rows, points[i - 1].training_rows);
  }
  EXPECT_DOUBLE_EQ(points.back().training_rows, 45.0 + 9.0);
  EXPECT_GT(points.back().accuracy, points.front().accuracy + 0.1);
}

TEST(SearchTest, TrainAndPredictSeesTheTrainingRowsOnly) {
  const SearchExample example;
  const std::vector<RowIndex> training(example.problem.rows.begin(), example.problem.rows.begin() + 40);
  const std::vector<RowIndex> others(example.problem.rows.begin() + 40, example.problem.rows.end());
  const Matrix logits =
      train_and_predict(example.problem, pooled_candidate(), 6, training, others, short_training(), kEnough);
  ASSERT_EQ(logits.rows(), 20);
  int correct = 0;
  for (Eigen::Index i = 0; i < 20; ++i) {
    Eigen::Index predicted = 0;
    logits.row(i).maxCoeff(&predicted);
    correct +=
        predicted == example.labels[static_cast<std::size_t>(others[static_cast<std::size_t>(i)])] ? 1 : 0;
  }
  EXPECT_GE(correct, 15);
}

TEST(SearchTest, ProblemsThatDoNotFitAreRefused) {
  const SearchExample example;
  const std::vector<Candidate> one{pooled_candidate()};
  const auto refused = [&](auto change) {
    SearchProblem problem = example.problem;
    SearchOptions options = small_search();
    change(problem, options);
    EXPECT_THROW(static_cast<void>(search_in(problem, one, options)), std::invalid_argument);
  };
  EXPECT_THROW(static_cast<void>(search_in(example.problem, {}, small_search())), std::invalid_argument);
  refused([](SearchProblem& p, SearchOptions&) { p.folds.pop_back(); });
  refused([](SearchProblem& p, SearchOptions&) { std::fill(p.folds.begin(), p.folds.end(), 0); });
  refused([](SearchProblem& p, SearchOptions&) { p.folds.front() = 9; });  // folds 4 to 8 are empty
  refused([](SearchProblem& p, SearchOptions&) { p.folds.front() = -1; });
  refused([](SearchProblem& p, SearchOptions&) { p.view_images.front() = 60; });
  refused([](SearchProblem& p, SearchOptions&) { p.pooled.clear(); });
  refused([](SearchProblem&, SearchOptions& o) { o.epochs = {6, 2}; });
  refused([](SearchProblem&, SearchOptions& o) { o.epochs.clear(); });
  refused([](SearchProblem&, SearchOptions& o) { o.kept = 0.0; });
  refused([](SearchProblem&, SearchOptions& o) { o.tried = 1.5; });
}

// Small sets keep the rounds that were asked for; large ones begin with a part and end with all.
TEST(SearchRoundsTest, GrowToAllImagesWithNoMoreStepsThanEightThousandImagesTake) {
  const SearchOptions options;
  for (const std::size_t images : {10U, 500U, 1000U}) {
    const std::vector<SearchRound> rounds = search_rounds(images, 72, options);
    ASSERT_EQ(rounds.size(), 3U);
    for (std::size_t r = 0; r < 3; ++r) {
      EXPECT_EQ(rounds[r].images, images);
      EXPECT_EQ(rounds[r].epochs, options.epochs[r]);
    }
    EXPECT_EQ(rounds[1].candidates, 24U);
    EXPECT_EQ(rounds[2].candidates, 8U);
  }
  for (const std::size_t images : {1001U, 8000U, 70'000U, 2'000'000U}) {
    const std::vector<SearchRound> rounds = search_rounds(images, 72, options);
    EXPECT_EQ(rounds.back().images, images);
    EXPECT_LE(rounds.front().images, 4000U);
    for (std::size_t r = 0; r < 3; ++r) {
      EXPECT_GE(rounds[r].epochs, std::min(5, options.epochs[r]));
      if (rounds[r].epochs > 5) {
        EXPECT_LE(static_cast<double>(rounds[r].images) * (rounds[r].epochs - 1), 8000.0 * options.epochs[r]);
      }
      if (r > 0) {
        EXPECT_GE(rounds[r].images, rounds[r - 1].images);
      }
    }
  }
}

TEST(SearchBudgetTest, AShareTriesThatShareOfTheCandidatesAndListsTheRest) {
  const SearchExample example;
  const std::vector<Candidate> candidates = small_candidates();  // 32
  SearchOptions options = small_search();
  options.tried = 0.25;
  const SearchResult result = search_in(example.problem, candidates, options);
  EXPECT_EQ(result.scores.size(), 8U);
  EXPECT_EQ(result.not_tried.size(), 24U);
  for (const Candidate& candidate : candidates) {
    const auto tried =
        std::count_if(result.scores.begin(), result.scores.end(),
                      [&](const CandidateScore& score) { return score.candidate == candidate; });
    EXPECT_EQ(tried + std::count(result.not_tried.begin(), result.not_tried.end(), candidate), 1);
  }
  EXPECT_EQ(search_in(example.problem, candidates, options).scores.front().candidate,
            result.scores.front().candidate);
}

TEST(SearchBudgetTest, WithoutTimeATenthIsTriedAndOneGoesThrough) {
  const SearchExample example;
  const std::vector<Candidate> candidates = small_candidates();
  SearchOptions options = small_search();
  options.seconds = 0.0;
  const SearchResult result = search_in(example.problem, candidates, options);
  EXPECT_EQ(result.scores.size(), 4U);
  EXPECT_EQ(result.not_tried.size(), 28U);
  EXPECT_EQ(result.scores.front().round, 1);
  EXPECT_EQ(result.rounds.back().candidates, 1U);
}

// Each way to train gives what the others give.
TEST(FoldTrainingTest, EverySolverGivesTheSameLogits) {
  const SearchExample example;
  const std::vector<Fold> folds = folds_of(example.problem);
  const auto logits = [&](FoldSolver solver, const std::vector<Candidate>& candidates) {
    const auto training = prepare_training(solver, example.problem, folds, candidates, short_training(1), {});
    return training->train(candidates, folds[2], 2, 5, true);
  };
  const auto expect_near = [](const std::vector<FoldCurve>& a, const std::vector<FoldCurve>& b) {
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
      ASSERT_EQ(a[i].cross_entropy.size(), 5U);
      EXPECT_NEAR(a[i].cross_entropy.back(), b[i].cross_entropy.back(), 1e-4);
      EXPECT_LT((a[i].last_logits - b[i].last_logits).norm(), 1e-4F * a[i].last_logits.norm());
    }
  };
  for (const Transform transform : {Transform::kNone, Transform::kUnit, Transform::kScale}) {
    const Representation flat{Pooling::kFlatten, transform};
    const std::vector<Candidate> candidates{{flat, {}, 0.3, 1e-3}, {flat, {9}, 0.1, 0.0}};
    expect_near(logits(FoldSolver::kGram, candidates), logits(FoldSolver::kSparse, candidates));
  }
  for (const Transform transform :
       {Transform::kNone, Transform::kUnit, Transform::kScale, Transform::kStandardize}) {
    const Representation pooled{Pooling::kAverage, transform};
    const std::vector<Candidate> candidates{{pooled, {}, 0.3, 1e-3},
                                            {pooled, {}, 0.1, 1e-3},
                                            {pooled, {9}, 0.3, 0.0},
                                            {pooled, {7, 4}, 0.3, 1e-4}};
    expect_near(logits(FoldSolver::kGram, candidates), logits(FoldSolver::kDense, candidates));
  }
}

// Rows that are read a window at a time, as far as they do not fit: the same search.
TEST(SearchTest, ASourceOfRowsGivesWhatRowsInMemoryGive) {
  const SearchExample example;
  const std::vector<std::int32_t> chunks(example.labels.size(), 0);
  SearchProblem read = example.problem;
  const RowSource source{.columns = example.matrix.columns,
                         .chunks = chunks,
                         .window = example.labels.size(),
                         .read = [&](std::span<const RowIndex> rows) {
                           SparseRows result;
                           result.columns = example.matrix.columns;
                           SparseRows all;
                           all.append(example.matrix.view());
                           for (const RowIndex row : rows)
                             result.append_row(all, static_cast<std::size_t>(row));
                           return result;
                         }};
  RowSource narrow = source;
  narrow.window = 16;
  read.source_nonzeros = static_cast<std::int64_t>(example.matrix.values.size());
  read.flattened = {};
  const std::vector<Candidate> candidates{{{Pooling::kFlatten, Transform::kUnit}, {}, 1.0, 1e-4},
                                          {{Pooling::kFlatten, Transform::kScale}, {9}, 0.3, 1e-4},
                                          {{Pooling::kMaximum, Transform::kUnit}, {}, 0.3, 1e-4}};
  const SearchResult expected = search_in(example.problem, candidates, small_search());
  read.source = &source;
  const SearchResult whole = search_in(read, candidates, small_search());
  ASSERT_EQ(whole.scores.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(whole.scores[i].candidate, expected.scores[i].candidate);
    EXPECT_NEAR(whole.scores[i].cross_entropy, expected.scores[i].cross_entropy, 1e-4);
  }
  read.source = &narrow;  // batches are drawn from windows: another order, and much the same result
  const SearchResult windows = search_in(read, candidates, small_search());
  EXPECT_EQ(windows.solvers.front().solver, FoldSolver::kSparse);
  EXPECT_NEAR(windows.scores.front().accuracy, expected.scores.front().accuracy, 0.15);
}

TEST(FoldTrainingTest, HeadsTrainedTogetherAreThoseTrainedAlone) {
  const SearchExample example;
  const std::vector<Fold> folds = folds_of(example.problem);
  const Representation pooled{Pooling::kMaximum, Transform::kStandardize};
  const std::vector<Candidate> candidates{
      {pooled, {}, 0.3, 1e-3}, {pooled, {}, 1e30, 1e-3}, {pooled, {9, 4}, 0.3, 0.0}};
  TrainingOptions training = short_training(1);
  training.nesterov = true;
  training.dropout = 0.3;
  training.label_smoothing = 0.1;
  training.class_weights = {1.0F, 0.5F, 2.0F};
  const auto prepared =
      prepare_training(FoldSolver::kDense, example.problem, folds, candidates, training, {});
  const std::vector<FoldCurve> together = prepared->train(candidates, folds[1], 1, 4, true);
  for (std::size_t c = 0; c < candidates.size(); ++c) {
    const FoldCurve alone =
        std::move(prepared->train(std::span(&candidates[c], 1), folds[1], 1, 4, true).front());
    EXPECT_EQ(together[c].diverged, c == 1) << c;
    EXPECT_EQ(together[c].cross_entropy, alone.cross_entropy) << c;
    EXPECT_EQ(together[c].last_logits, alone.last_logits) << c;
  }
}

TEST(SearchCostTest, TheGramSolverIsTakenForFewRowsOfManyColumns) {
  const Representation flat{Pooling::kFlatten, Transform::kUnit};
  const Representation pooled{Pooling::kAverage, Transform::kUnit};
  const auto solver = [](const Representation& representation, std::int64_t images, std::int64_t memory) {
    const bool dense = is_dense(representation.pooling);
    const std::vector<Candidate> candidates{{representation, {256}, 0.1, 1e-4},
                                            {representation, {}, 0.1, 1e-4}};
    const SearchShape shape{.images = images,
                            .rows = images,
                            .folds = 5,
                            .columns = dense ? 512 : 25'088,
                            .nonzeros = images * (dense ? 512 : 2500),
                            .classes = 10};
    return search_cost(shape, candidates, 8, memory).solver;
  };
  constexpr std::int64_t kMemory = 10'000'000'000;
  EXPECT_EQ(solver(flat, 2000, kMemory), FoldSolver::kGram);
  EXPECT_EQ(solver(flat, 2000, 4 * 2000 * 2000), FoldSolver::kSparse);
  EXPECT_EQ(solver(flat, 200'000, std::int64_t{1} << 60), FoldSolver::kSparse);
  EXPECT_EQ(solver(pooled, 2000, kMemory), FoldSolver::kDense);
  EXPECT_EQ(solver(pooled, 1'000'000, kMemory), FoldSolver::kDense);
}

TEST(SearchProblemTest, APartIsStratifiedAndPartOfALargerOne) {
  SearchExample example(60, 12);
  const auto rows_of = [&](std::size_t images) { return part_of(example.problem, images, 5); };
  SearchProblem before = rows_of(1);
  EXPECT_EQ(before.rows.size(), 1U);
  for (std::size_t images = 3; images <= 60; images += 3) {
    const SearchProblem part = rows_of(images);
    ASSERT_EQ(part.rows.size(), images);
    EXPECT_TRUE(std::includes(part.rows.begin(), part.rows.end(), before.rows.begin(), before.rows.end()));
    for (std::int32_t label = 0; label < kSearchClasses; ++label) {
      const auto is = [&](RowIndex row) { return example.labels[static_cast<std::size_t>(row)] == label; };
      const auto all = std::count_if(example.problem.rows.begin(), example.problem.rows.end(), is);
      const auto here = std::count_if(part.rows.begin(), part.rows.end(), is);
      EXPECT_NEAR(static_cast<double>(here), static_cast<double>(all * static_cast<long>(images)) / 60.0,
                  1.01);
    }
    for (std::size_t i = 0; i < images; ++i) EXPECT_EQ(part.folds[i], part.rows[i] % 4);
    for (std::size_t v = 0; v < part.views.size(); ++v)
      EXPECT_EQ(part.rows[part.view_images[v]], part.views[v] - 60);
    before = part;
  }
  EXPECT_EQ(rows_of(60).views.size(), 12U);
}

TEST(MeanAndDeviationTest, OfKnownNumbers) {
  const std::vector<double> values{1.0, 2.0, 6.0};
  EXPECT_DOUBLE_EQ(mean_and_deviation(values).mean, 3.0);
  EXPECT_DOUBLE_EQ(mean_and_deviation(values).deviation, std::sqrt(7.0));
}

}  // namespace
}  // namespace headstart::test
