// tests/head/layers/gram_solver_test.cpp: the gram solver against dense SGD in double and against the primal
// solver.
#include "head/layers/gram_solver.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cmath>
#include <memory>
#include <stdexcept>
#include <vector>

#include "head/training/trainer.hpp"
#include "tests/head/layers/first_layer_problem.hpp"
#include "tests/head/layers/sparse_matrix.hpp"

namespace headstart::test {
namespace {

double worst_error_of(const FirstLayerProblem& problem) {
  return worst_error(
      problem, [](const SparseRowsView& features, const Matrix& initial, std::span<const RowIndex> training) {
        return std::make_unique<GramSolver>(features, initial, training, 2);
      });
}

TEST(GramSolverTest, FollowsDenseSgdOnRandomProblems) {
  EXPECT_TRUE(rc::check("gram solver = dense SGD in double", [] {
    FirstLayerProblem problem;
    problem.steps = 6;
    problem.rows = *rc::gen::inRange<std::int64_t>(1, 40);
    problem.training = *rc::gen::inRange<std::int64_t>(1, problem.rows + 1);
    problem.columns = *rc::gen::element<std::int64_t>(1, 2, 17, 256, 257, 600);
    problem.hidden = *rc::gen::element<std::int64_t>(1, 3, 10, 16, 17, 64, 65, 130);
    problem.density = *rc::gen::element(0.0, 0.02, 0.1, 1.0);
    problem.seed = *rc::gen::arbitrary<std::uint64_t>();
    problem.remember = *rc::gen::arbitrary<bool>();
    problem.sgd.learning_rate = *rc::gen::element(0.1, 0.01, 1e-4);
    problem.sgd.momentum = *rc::gen::element(0.0, 0.5, 0.9);
    problem.sgd.nesterov = *rc::gen::arbitrary<bool>();
    problem.sgd.l2 = *rc::gen::element(0.0, 1e-4, 0.1);
    RC_ASSERT(worst_error_of(problem) < 5e-6);
  }));
}

TEST(GramSolverTest, MoreTrainingRowsThanATile) {
  EXPECT_LT(
      worst_error_of({.rows = 620, .training = 600, .steps = 6, .sgd = {.learning_rate = 0.1, .l2 = 1e-3}}),
      5e-6);
}

TEST(GramSolverTest, TheBitsDoNotDependOnTheThreadCount) {
  Random random(24);
  const SparseMatrix matrix = sparse(random_features(40, 700, 0.1, random));
  const Matrix initial = random_matrix(700, 300, random, 0.1F);
  const Matrix dz = random_matrix(32, 300, random, 0.05F);
  const std::vector<RowIndex> every = all_rows(40);
  const std::span<const RowIndex> batch = std::span(every).first(32);
  std::vector<Matrix> kernels;
  std::vector<double> norms;
  for (const int threads : {1, 2, 3}) {
    GramSolver solver(matrix.view(), initial, batch, threads);
    Matrix z(40, 300);
    for (int step = 0; step < 3; ++step) solver.step(batch, dz, {.l2 = 1e-3}, every, z);
    norms.push_back(solver.squared_norm());
    kernels.push_back(solver.release_kernel());
  }
  ASSERT_GT((kernels[0] - initial).norm() / initial.norm(), 1e-3F);  // it did train
  EXPECT_EQ(kernels[0], kernels[1]);
  EXPECT_EQ(kernels[0], kernels[2]);
  EXPECT_EQ(norms[0], norms[1]);
  EXPECT_EQ(norms[0], norms[2]);
}

TEST(GramSolverTest, WhatDoesNotFitIsRefused) {
  Random random(25);
  const SparseMatrix matrix = sparse(random_features(4, 6, 0.5, random));
  const std::vector<RowIndex> training{0, 1, 2};
  const std::vector<RowIndex> beyond{4};
  EXPECT_THROW(GramSolver(matrix.view(), Matrix::Zero(5, 3), training, 1), std::invalid_argument);
  EXPECT_THROW(GramSolver(matrix.view(), Matrix::Zero(6, 3), beyond, 1), std::invalid_argument);
  GramSolver solver(matrix.view(), Matrix::Zero(6, 3), training, 1);
  const std::vector<RowIndex> validation{3};
  Matrix z(1, 3);
  EXPECT_THROW(solver.step(validation, z, {}, training, z), std::invalid_argument);
  EXPECT_THROW(solver.step(beyond, z, {}, beyond, z), std::invalid_argument);
  EXPECT_THROW(solver.forward(beyond, z), std::invalid_argument);
  EXPECT_THROW(solver.recall(), std::logic_error);
  GramBasis basis;
  basis.kernel_matrix = std::make_shared<const Matrix>(Matrix::Identity(4, 4));
  basis.initial_products = std::make_shared<const Matrix>(Matrix::Zero(4, 3));
  GramSolver without_features(basis, training, 1);
  EXPECT_THROW(static_cast<void>(without_features.release_kernel()), std::logic_error);
}

// Whole runs of both solvers from the same start: the first epochs of one trajectory, before float rounding
// decides about a ReLU.
TEST(GramSolverTest, TrainsAsThePrimalSolverDoes) {
  EXPECT_TRUE(rc::check("train_head with both solvers", [] {
    Random random(*rc::gen::arbitrary<std::uint64_t>());
    const auto rows = *rc::gen::inRange<std::int64_t>(12, 60);
    const SparseMatrix matrix = sparse(random_features(rows, 150, 0.2, random));
    const std::vector<RowIndex> every = all_rows(static_cast<std::size_t>(rows));
    std::vector<std::int32_t> labels(every.size());
    for (std::int32_t& label : labels) label = static_cast<std::int32_t>(random.below(3));
    const std::size_t training = every.size() * 3 / 4;
    const TrainingData data{matrix.view(), labels, std::span(every).first(training),
                            std::span(every).subspan(training), 3};
    TrainingOptions options;
    options.hidden = *rc::gen::element(std::vector<int>{}, std::vector<int>{20}, std::vector<int>{70, 8});
    options.learning_rate = *rc::gen::element(0.02, 0.002);
    options.momentum = *rc::gen::element(0.0, 0.9);
    options.nesterov = *rc::gen::arbitrary<bool>();
    options.l2 = *rc::gen::element(0.0, 1e-3);
    options.label_smoothing = *rc::gen::element(0.0, 0.1);
    options.dropout = *rc::gen::element(0.0, 0.4);
    options.schedule = *rc::gen::element(Schedule::kConstant, Schedule::kCosine, Schedule::kStep);
    if (*rc::gen::arbitrary<bool>()) options.early_stopping = 1;
    if (*rc::gen::arbitrary<bool>()) options.class_weights = {0.5F, 1.0F, 2.0F};
    options.batch = *rc::gen::element(5, 16, 100);
    options.epochs = 4;
    options.seed = *rc::gen::inRange<std::uint64_t>(0, 1000);
    const Head initial = initial_head(150, 3, options);
    options.solver = Solver::kGram;
    const TrainingResult gram = train_head(data, initial, options);
    options.solver = Solver::kPrimal;
    const TrainingResult primal = train_head(data, initial, options);
    RC_ASSERT(gram.best_epoch == primal.best_epoch);
    RC_ASSERT(gram.history.size() == primal.history.size());
    for (std::size_t e = 0; e < gram.history.size(); ++e) {
      RC_ASSERT(std::abs(gram.history[e].loss / primal.history[e].loss - 1.0) < 1e-5);
      RC_ASSERT(std::abs(*gram.history[e].val_loss / *primal.history[e].val_loss - 1.0) < 1e-5);
    }
    for (std::size_t l = 0; l < gram.head.layers.size(); ++l) {
      const Matrix& expected = primal.head.layers[l].kernel;
      RC_ASSERT((gram.head.layers[l].kernel - expected).norm() <= 2e-5F * expected.norm());
    }
  }));
}

}  // namespace
}  // namespace headstart::test
