// tests/head/primal_solver_test.cpp: the primal solver against dense SGD in double.
#include "head/primal_solver.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cmath>
#include <memory>
#include <stdexcept>
#include <vector>

#include "tests/head/dense_sgd.hpp"
#include "tests/head/sparse_matrix.hpp"

namespace headstart::test {
namespace {

double relative_error(const Matrix& found, const Eigen::MatrixXd& expected, double scale) {
  return (found.cast<double>() - expected).norm() / (scale > 0.0 ? scale : 1.0);
}

struct Problem {
  std::int64_t rows = 12;
  std::int64_t columns = 600;
  std::int64_t hidden = 70;
  double density = 0.1;
  int steps = 3;
  std::uint64_t seed = 0;
  SgdStep sgd;
};

std::vector<RowIndex> draw_rows(std::size_t count, const Problem& problem, Random& random) {
  std::vector<RowIndex> rows(count);  // with repetition
  for (RowIndex& row : rows)
    row = static_cast<RowIndex>(random.below(static_cast<std::uint64_t>(problem.rows)));
  return rows;
}

// The largest relative error of z, W and |W|^2 over a run of a few steps; float arithmetic gives about 1e-7.
double worst_error(const Problem& problem, const PrimalKernel& routines, int threads) {
  Random random(problem.seed);
  Matrix features = random_features(problem.rows, problem.columns, problem.density, random);
  features.row(0).setZero();  // a row without entries
  const SparseMatrix matrix = sparse(features);
  const Matrix initial = random_matrix(problem.columns, problem.hidden, random, 0.1F);
  PrimalSolver solver(matrix.view(), initial, threads, routines);
  DenseSgd expected(features, initial);

  const auto norm_error = [&] {
    return std::abs(solver.squared_norm() - expected.kernel().squaredNorm()) /
           (expected.scale() * expected.scale());
  };
  double worst = norm_error();
  for (int step = 0; step < problem.steps; ++step) {
    const std::vector<RowIndex> batch = draw_rows(1 + random.below(8), problem, random);
    const std::vector<RowIndex> next = draw_rows(random.below(40), problem, random);
    const Matrix dz = random_matrix(static_cast<Eigen::Index>(batch.size()), problem.hidden, random, 0.05F);
    Matrix next_z = Matrix::Constant(static_cast<Eigen::Index>(next.size()), problem.hidden, 1e9F);
    solver.step(batch, dz, problem.sgd, next, next_z);
    expected.step(batch, dz, problem.sgd);
    worst = std::max(worst, relative_error(next_z, expected.product(next), expected.product_scale(next)));
    worst = std::max(worst, norm_error());
  }
  const std::vector<RowIndex> every = all_rows(static_cast<std::size_t>(problem.rows));
  Matrix z(problem.rows, problem.hidden);
  solver.forward(every, z);
  worst = std::max(worst, relative_error(z, expected.product(every), expected.product_scale(every)));
  return std::max(worst, relative_error(solver.kernel(), expected.kernel(), expected.scale()));
}

TEST(PrimalSolverTest, FollowsDenseSgdOnRandomProblems) {
  EXPECT_TRUE(rc::check("primal solver = dense SGD in double", [] {
    Problem problem;
    problem.rows = *rc::gen::inRange<std::int64_t>(1, 20);
    problem.columns = *rc::gen::element<std::int64_t>(1, 2, 17, 255, 256, 257, 600);
    problem.hidden = *rc::gen::element<std::int64_t>(1, 3, 10, 16, 17, 63, 64, 65, 100, 130);
    problem.density = *rc::gen::element(0.0, 0.02, 0.1, 0.5, 1.0);
    problem.seed = *rc::gen::arbitrary<std::uint64_t>();
    problem.sgd.learning_rate = *rc::gen::element(0.5, 0.01, 1e-4);
    problem.sgd.momentum = *rc::gen::element(0.0, 0.5, 0.9);
    problem.sgd.nesterov = *rc::gen::arbitrary<bool>();
    problem.sgd.l2 = *rc::gen::element(0.0, 1e-4, 0.1);
    RC_ASSERT(worst_error(problem, best_primal_kernel(), 2) < 2e-6);
  }));
}

TEST(PrimalSolverTest, EveryVariantOfTheInnerLoopsFollowsDenseSgd) {
  std::vector<PrimalKernel> kernels = all_primal_kernels();
  kernels.push_back(reference_primal_kernel());
  for (const PrimalKernel& kernel : kernels) {
    for (const std::int64_t hidden : {1, 10, 1000}) {
      const Problem problem{
          .hidden = hidden, .steps = 2, .sgd = {.learning_rate = 0.1, .nesterov = true, .l2 = 1e-3}};
      EXPECT_LT(worst_error(problem, kernel, 1), 2e-6) << kernel.name << ", " << hidden << " columns";
    }
  }
}

TEST(PrimalSolverTest, ARowOfWWithoutEntriesStillDecaysAndMoves) {
  Matrix features = Matrix::Zero(2, 3);
  features(0, 0) = 1.0F;  // feature 2 is in no row
  const SparseMatrix matrix = sparse(features);
  const Matrix initial = Matrix::Constant(3, 4, 0.5F);
  const std::unique_ptr<FirstLayer> solver = make_primal_solver(matrix.view(), initial, 1);
  const SgdStep sgd{.learning_rate = 0.1, .momentum = 0.5, .nesterov = false, .l2 = 0.25};
  const std::vector<RowIndex> batch{1};  // without entries
  const Matrix dz = Matrix::Constant(1, 4, 7.0F);
  Matrix none(0, 4);
  solver->step(batch, dz, sgd, {}, none);  // v = -0.1 * 2 * 0.25 * 0.5 = -0.025, w = 0.475
  solver->step(batch, dz, sgd, {}, none);  // v = -0.0125 - 0.02375 = -0.03625, w = 0.43875
  EXPECT_TRUE(solver->kernel().isApproxToConstant(0.43875F, 1e-6F)) << solver->kernel();
  EXPECT_NEAR(solver->squared_norm(), 12 * 0.43875 * 0.43875, 1e-6);
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
    const std::unique_ptr<FirstLayer> solver = make_primal_solver(matrix.view(), initial, threads);
    Matrix z(40, 300);
    for (int step = 0; step < 3; ++step) solver->step(batch, dz, {.l2 = 1e-3}, every, z);
    kernels.push_back(solver->kernel());
    products.push_back(z);
    norms.push_back(solver->squared_norm());
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
      make_primal_solver(matrix.view(), random_matrix(520, 40, random, 0.1F), 2);
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
  EXPECT_THROW(static_cast<void>(make_primal_solver(matrix.view(), Matrix::Zero(5, 3), 1)),
               std::invalid_argument);
  EXPECT_THROW(static_cast<void>(make_primal_solver(matrix.view(), Matrix::Zero(6, 0), 1)),
               std::invalid_argument);
  const std::unique_ptr<FirstLayer> solver = make_primal_solver(matrix.view(), Matrix::Zero(6, 3), 1);
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
