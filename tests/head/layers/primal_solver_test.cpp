// tests/head/layers/primal_solver_test.cpp: the primal solver against dense SGD in double.
#include "head/layers/primal_solver.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <memory>
#include <stdexcept>
#include <vector>

#include "tests/head/layers/first_layer_problem.hpp"
#include "tests/head/layers/sparse_matrix.hpp"

namespace headstart::test {
namespace {

double worst_error_of(const FirstLayerProblem& problem, const PrimalKernel& routines, int threads) {
  return worst_error(problem, [&](const SparseRowsView& features, const Matrix& initial, auto) {
    return std::make_unique<PrimalSolver>(features, initial, threads, routines, Blocks::kAlways);
  });
}

TEST(PrimalSolverTest, FollowsDenseSgdOnRandomProblems) {
  EXPECT_TRUE(rc::check("primal solver = dense SGD in double", [] {
    FirstLayerProblem problem;
    problem.rows = *rc::gen::inRange<std::int64_t>(1, 20);
    problem.training = problem.rows;
    problem.remember = *rc::gen::arbitrary<bool>();
    problem.planned = *rc::gen::arbitrary<bool>();
    problem.steps = *rc::gen::inRange(1, 9);
    problem.columns = *rc::gen::element<std::int64_t>(1, 2, 17, 255, 256, 257, 600);
    problem.hidden = *rc::gen::element<std::int64_t>(1, 3, 10, 16, 17, 63, 64, 65, 100, 130);
    problem.density = *rc::gen::element(0.0, 0.02, 0.1, 0.5, 1.0);
    problem.seed = *rc::gen::arbitrary<std::uint64_t>();
    problem.sgd.learning_rate = *rc::gen::element(0.5, 0.01, 1e-4);
    problem.sgd.momentum = *rc::gen::element(0.0, 0.5, 0.9);
    problem.sgd.nesterov = *rc::gen::arbitrary<bool>();
    problem.sgd.l2 = *rc::gen::element(0.0, 1e-4, 0.1);
    RC_ASSERT(worst_error_of(problem, best_primal_kernel(), 2) < 2e-6);
  }));
}

TEST(PrimalSolverTest, EveryVariantOfTheInnerLoopsFollowsDenseSgd) {
  std::vector<PrimalKernel> kernels = all_primal_kernels();
  kernels.push_back(reference_primal_kernel());
  for (const PrimalKernel& kernel : kernels) {
    for (const std::int64_t hidden : {1, 10, 1000}) {
      const FirstLayerProblem problem{
          .hidden = hidden, .steps = 2, .sgd = {.learning_rate = 0.1, .nesterov = true, .l2 = 1e-3}};
      EXPECT_LT(worst_error_of(problem, kernel, 1), 2e-6) << kernel.name << ", " << hidden << " columns";
    }
  }
}

TEST(PrimalSolverTest, TheInputsGradientIsTheDenseOneWhereThereAreEntries) {
  for (const Eigen::Index hidden : {1, 10, 70, 200}) {
    Random random(3);
    const Matrix dense = random_features(6, 600, 0.2, random);
    const SparseMatrix matrix = sparse(dense);
    const Matrix kernel = random_matrix(600, hidden, random);
    const SparseRowsView features = matrix.view();
    PrimalSolver solver(features, kernel, 2, best_primal_kernel(), Blocks::kNever);
    const std::vector<RowIndex> rows{4, 1, 4};
    const Matrix dz = random_matrix(3, hidden, random);
    const Eigen::MatrixXd expected = dz.cast<double>() * kernel.transpose().cast<double>();
    const std::vector<float> found = solver.input_gradient(rows, dz);
    std::size_t entry = 0;
    for (std::size_t r = 0; r < rows.size(); ++r) {
      for (const std::int32_t feature : features.row_indices(rows[r])) {
        ASSERT_LT(entry, found.size());
        EXPECT_NEAR(found[entry++], expected(static_cast<Eigen::Index>(r), feature), 1e-4);
      }
    }
    EXPECT_EQ(entry, found.size());
  }
}

TEST(PrimalSolverTest, OnlyAKernelThatDoesNotStayInCacheIsSteppedInBlocks) {
  EXPECT_EQ(blocks_for(Matrix(2'000, 1'000)), Blocks::kNever);
  EXPECT_EQ(blocks_for(Matrix(2'001, 1'000)), Blocks::kAlways);
}

TEST(PrimalSolverTest, ARowOfWWithoutEntriesStillDecaysAndMoves) {
  Matrix features = Matrix::Zero(2, 3);
  features(0, 0) = 1.0F;  // feature 2 is in no row
  const SparseMatrix matrix = sparse(features);
  const Matrix initial = Matrix::Constant(3, 4, 0.5F);
  const std::unique_ptr<FirstLayer> solver = make_first_layer(Solver::kPrimal, matrix.view(), initial, {}, 1);
  const SgdStep sgd{.learning_rate = 0.1, .momentum = 0.5, .nesterov = false, .l2 = 0.25};
  const std::vector<RowIndex> batch{1};  // without entries
  const Matrix dz = Matrix::Constant(1, 4, 7.0F);
  Matrix none(0, 4);
  solver->step(batch, dz, sgd, {}, none);  // v = -0.1 * 2 * 0.25 * 0.5 = -0.025, w = 0.475
  solver->step(batch, dz, sgd, {}, none);  // v = -0.0125 - 0.02375 = -0.03625, w = 0.43875
  EXPECT_NEAR(solver->squared_norm(), 12 * 0.43875 * 0.43875, 1e-6);
  EXPECT_TRUE(solver->release_kernel().isApproxToConstant(0.43875F, 1e-6F));
}

TEST(PrimalSolverTest, TheBitsDoNotDependOnTheThreadCount) {
  Random random(21);
  const Matrix features = random_features(40, 700, 0.1, random);
  const SparseMatrix matrix = sparse(features);
  const Matrix initial = random_matrix(700, 300, random, 0.1F);
  const Matrix dz = random_matrix(32, 300, random, 0.05F);
  const std::vector<RowIndex> every = all_rows(40);
  const std::span<const RowIndex> batch = std::span(every).first(32);

  std::vector<Matrix> kernels;
  std::vector<Matrix> products;
  std::vector<double> norms;
  for (const int threads : {1, 2, 3}) {
    const std::unique_ptr<FirstLayer> solver =
        make_first_layer(Solver::kPrimal, matrix.view(), initial, {}, threads);
    Matrix z(40, 300);
    for (int step = 0; step < 3; ++step) solver->step(batch, dz, {.l2 = 1e-3}, every, z);
    norms.push_back(solver->squared_norm());
    kernels.push_back(solver->release_kernel());
    products.push_back(z);
  }
  ASSERT_GT((kernels[0] - initial).norm() / initial.norm(), 1e-3F);  // it did train
  for (std::size_t i = 1; i < kernels.size(); ++i) {
    EXPECT_EQ(kernels[0], kernels[i]);
    EXPECT_EQ(products[0], products[i]);
    EXPECT_EQ(norms[0], norms[i]);
  }
}

TEST(PrimalSolverTest, ProductsAreTheSameBitsFromAStepAndFromForwardWhateverTheOtherRows) {
  Random random(22);
  const Matrix features = random_features(30, 520, 0.2, random);
  const SparseMatrix matrix = sparse(features);
  const std::unique_ptr<FirstLayer> solver =
      make_first_layer(Solver::kPrimal, matrix.view(), random_matrix(520, 40, random, 0.1F), {}, 2);
  const std::vector<RowIndex> every = all_rows(30);
  const std::vector<RowIndex> one{17};
  Matrix from_step(30, 40);
  solver->step(one, random_matrix(1, 40, random), {}, every, from_step);
  Matrix from_forward(1, 40);
  solver->forward(one, from_forward);
  EXPECT_EQ(from_forward, from_step.row(17));
  EXPECT_GT(from_forward.norm(), 0.1F);
}

TEST(PrimalSolverTest, ShapesThatDisagreeAndRowsThatDoNotExistAreRefused) {
  Random random(23);
  const SparseMatrix matrix = sparse(random_features(4, 6, 0.5, random));
  EXPECT_THROW(static_cast<void>(make_first_layer(Solver::kPrimal, matrix.view(), Matrix::Zero(5, 3), {}, 1)),
               std::invalid_argument);
  EXPECT_THROW(static_cast<void>(make_first_layer(Solver::kPrimal, matrix.view(), Matrix::Zero(6, 0), {}, 1)),
               std::invalid_argument);
  const std::unique_ptr<FirstLayer> solver =
      make_first_layer(Solver::kPrimal, matrix.view(), Matrix::Zero(6, 3), {}, 1);
  const std::vector<RowIndex> row{0};
  const std::vector<RowIndex> beyond{4};
  Matrix z(1, 3);
  Matrix narrow(1, 2);
  EXPECT_THROW(solver->step(row, narrow, {}, row, z), std::invalid_argument);
  EXPECT_THROW(solver->step(row, z, {}, row, narrow), std::invalid_argument);
  EXPECT_THROW(solver->step(beyond, z, {}, row, z), std::invalid_argument);
  EXPECT_THROW(solver->forward(beyond, z), std::invalid_argument);
  EXPECT_THROW(solver->forward(row, narrow), std::invalid_argument);
}

}  // namespace
}  // namespace headstart::test
