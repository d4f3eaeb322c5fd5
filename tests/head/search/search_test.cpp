// tests/head/search/search_test.cpp: cross-validation that does not leak, on a small set.
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
#include "tests/head/search/search_example.hpp"

namespace headstart::test {
namespace {

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

TEST(MeanAndDeviationTest, OfKnownNumbers) {
  const std::vector<double> values{1.0, 2.0, 6.0};
  EXPECT_DOUBLE_EQ(mean_and_deviation(values).mean, 3.0);
  EXPECT_DOUBLE_EQ(mean_and_deviation(values).deviation, std::sqrt(7.0));
}

}  // namespace
}  // namespace headstart::test
