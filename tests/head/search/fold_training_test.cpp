// tests/head/search/fold_training_test.cpp: three ways to train a fold, and many heads in one pass, give the
// same logits.
#include "head/search/fold_training.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "head/representation/dense_representation.hpp"
#include "tests/head/search/search_example.hpp"

namespace headstart::test {
namespace {

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

}  // namespace
}  // namespace headstart::test
