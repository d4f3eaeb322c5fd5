// tests/head/layers/dense_solver_test.cpp: the dense solver against dense SGD in double, and what its rows
// are after their map.
#include "head/layers/dense_solver.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cmath>
#include <memory>
#include <stdexcept>
#include <vector>

#include "tests/head/layers/dense_matrix.hpp"
#include "tests/head/layers/first_layer_problem.hpp"
#include "tests/head/layers/sparse_matrix.hpp"

namespace headstart::test {
namespace {

double worst_error_of(const FirstLayerProblem& problem, const DenseRoutines& routines, int threads) {
  DenseRows rows;
  return worst_error(problem, [&](const SparseRowsView& features, const Matrix& initial, auto) {
    Matrix matrix = Matrix::Zero(static_cast<Eigen::Index>(features.rows()), features.columns);
    for (std::size_t r = 0; r < features.rows(); ++r) {
      expand(features.row_indices(r), features.row_values(r),
             {matrix.data() + r * static_cast<std::size_t>(features.columns),
              static_cast<std::size_t>(features.columns)});
    }
    rows = dense_rows(matrix);
    return std::make_unique<DenseSolver>(AffineRows{.rows = rows.view()}, initial, threads, routines);
  });
}

TEST(DenseSolverTest, FollowsDenseSgdOnRandomProblems) {
  EXPECT_TRUE(rc::check("dense solver = dense SGD in double", [] {
    FirstLayerProblem problem;
    problem.rows = *rc::gen::inRange<std::int64_t>(1, 20);
    problem.training = problem.rows;
    problem.remember = *rc::gen::arbitrary<bool>();
    problem.planned = *rc::gen::arbitrary<bool>();
    problem.steps = *rc::gen::inRange(1, 9);
    problem.columns = *rc::gen::element<std::int64_t>(1, 2, 15, 16, 17, 63, 65, 600);
    problem.hidden = *rc::gen::element<std::int64_t>(1, 3, 10, 16, 17, 60, 61, 130);
    problem.density = *rc::gen::element(0.0, 0.5, 1.0);
    problem.seed = *rc::gen::arbitrary<std::uint64_t>();
    problem.sgd.learning_rate = *rc::gen::element(0.5, 0.01, 1e-4);
    problem.sgd.momentum = *rc::gen::element(0.0, 0.5, 0.9);
    problem.sgd.nesterov = *rc::gen::arbitrary<bool>();
    problem.sgd.l2 = *rc::gen::element(0.0, 1e-4, 0.1);
    RC_ASSERT(worst_error_of(problem, best_dense_routines(), 2) < 2e-6);
  }));
}

TEST(DenseSolverTest, EveryVariantOfTheInnerLoopsFollowsDenseSgd) {
  for (const DenseRoutines& routines : all_dense_routines()) {
    for (const std::int64_t hidden : {1, 2, 3, 4, 5, 6, 7, 10, 1000}) {
      const FirstLayerProblem problem{.columns = 100 + hidden,
                                      .hidden = hidden,
                                      .density = 1.0,
                                      .steps = 2,
                                      .planned = true,
                                      .sgd = {.learning_rate = 0.1, .nesterov = true, .l2 = 1e-3}};
      EXPECT_LT(worst_error_of(problem, routines, 1), 2e-6) << routines.name << ", " << hidden << " columns";
    }
  }
}

// A product is the same sum whatever else is computed with it.
TEST(DenseSolverTest, AProductDoesNotDependOnTheOtherRowsOrOnThreads) {
  Random random(4);
  const Matrix matrix = random_features(300, 77, 1.0, random);
  const DenseRows rows = dense_rows(matrix);
  const Matrix kernel = random_matrix(77, 130, random);
  const std::vector<RowIndex> every = all_rows(300);
  Matrix together(300, 130);
  DenseSolver(AffineRows{.rows = rows.view()}, kernel, 2).forward(every, together);
  DenseSolver alone(AffineRows{.rows = rows.view()}, kernel, 1);
  for (const RowIndex row : {0, 95, 96, 299}) {
    Matrix z(1, 130);
    alone.forward(std::vector<RowIndex>{row}, z);
    EXPECT_EQ(z, together.row(row)) << row;
  }
}

TEST(DenseSolverTest, GoesOnFromAStateToTheSameWeights) {
  Random random(5);
  const DenseRows rows = dense_rows(random_features(20, 50, 1.0, random));
  const Matrix kernel = random_matrix(50, 70, random);
  const SgdStep sgd{.learning_rate = 0.1, .l2 = 1e-3};
  const std::vector<RowIndex> batch{3, 1, 7};
  const Matrix dz = random_matrix(3, 70, random);
  Matrix none(0, 70);
  DenseSolver straight(AffineRows{.rows = rows.view()}, kernel, 2);
  DenseSolver resumed(AffineRows{.rows = rows.view()}, Matrix::Zero(50, 70), 1);
  straight.step(batch, dz, sgd, {}, none);
  straight.remember();
  straight.step(batch, dz, sgd, {}, none);
  resumed.set_state(straight.state());
  for (DenseSolver* const solver : {&straight, &resumed}) solver->step(batch, dz, sgd, {}, none);
  EXPECT_EQ(straight.squared_norm(), resumed.squared_norm());
  straight.recall();
  resumed.recall();
  EXPECT_EQ(straight.release_kernel(), resumed.release_kernel());
}

TEST(DenseSolverTest, RefusesWhatDoesNotFit) {
  Random random(6);
  const DenseRows rows = dense_rows(random_features(4, 5, 1.0, random));
  const AffineRows affine{.rows = rows.view()};
  EXPECT_THROW(DenseSolver(affine, Matrix::Zero(6, 2), 1), std::invalid_argument);
  EXPECT_THROW(DenseSolver(affine, Matrix::Zero(5, 0), 1), std::invalid_argument);
  DenseSolver solver(affine, Matrix::Zero(5, 2), 1);
  Matrix z(1, 2);
  EXPECT_THROW(solver.forward(std::vector<RowIndex>{4}, z), std::invalid_argument);
  EXPECT_THROW(solver.recall(), std::logic_error);
  FirstLayerState state = solver.state();
  state.numbers.clear();
  EXPECT_THROW(solver.set_state(state), std::invalid_argument);
}

TEST(AffineRowsTest, EveryVariantReadsARowThroughItsMap) {
  Random random(7);
  for (const std::int64_t columns : {1, 15, 16, 17, 70}) {
    const Matrix matrix = random_features(9, columns, 1.0, random);
    const DenseRows rows = dense_rows(matrix);
    const Matrix of_rows = random_matrix(1, 9, random);
    const Matrix means = random_matrix(1, columns, random);
    const Matrix rests = random_matrix(1, columns, random, 1e-8F);
    const Matrix factors = random_matrix(1, columns, random);
    const auto span = [](const Matrix& m) {
      return std::span<const float>(m.data(), static_cast<std::size_t>(m.size()));
    };
    const AffineRows affine{.rows = rows.view(),
                            .row_factors = span(of_rows),
                            .means = span(means),
                            .mean_rests = span(rests),
                            .column_factors = span(factors),
                            .factor = 0.3F};
    const std::vector<RowIndex> which{8, 0, 3, 3, 1, 2};
    const std::size_t stride = gathered_stride(columns);
    for (const DenseRoutines& routines : all_dense_routines()) {
      AlignedFloats x(which.size() * stride);
      std::fill(x.span().begin(), x.span().end(), 7.0F);
      routines.gather(affine, which, x.span().data());
      for (std::size_t i = 0; i < which.size(); ++i) {
        for (std::size_t c = 0; c < padded_features(columns); ++c) {
          const auto column = static_cast<Eigen::Index>(c);
          double expected = 0.0;
          if (std::cmp_less(c, columns)) {
            expected = (static_cast<double>(matrix(which[i], column)) * of_rows(which[i]) - means(column) -
                        rests(column)) *
                       factors(column) * 0.3;
          }
          EXPECT_NEAR(x.span()[i * stride + c], expected, 2e-6)
              << routines.name << ", " << columns << " columns, column " << c;
        }
      }
    }
  }
}

// A feature of 1000 that varies by 0.001: a mean in one float would leave no digit of it.
TEST(AffineRowsTest, AMeanOfTwoFloatsKeepsTheDigitsOfAFeatureThatHardlyVaries) {
  Matrix matrix(2, 1);
  matrix << 1000.0F, 1000.00006F;
  const DenseRows rows = dense_rows(matrix);
  const double mean = 0.5 * (static_cast<double>(matrix(0, 0)) + static_cast<double>(matrix(1, 0)));
  const std::vector<float> high{static_cast<float>(mean)};
  const std::vector<float> rest{static_cast<float>(mean - static_cast<double>(high.front()))};
  const std::vector<float> one{1.0F};
  const AffineRows affine{.rows = rows.view(), .means = high, .mean_rests = rest, .column_factors = one};
  const SparseRows found = sparse_rows_of(affine, all_rows(2));
  EXPECT_EQ(found.row_values(0)[0], -found.row_values(1)[0]);
  EXPECT_NE(found.row_values(0)[0], 0.0F);
}

TEST(AffineRowsTest, SumsTheSquaresOfTheRowsAskedFor) {
  Matrix matrix(3, 2);
  matrix << 1.0F, 2.0F, 3.0F, 4.0F, 5.0F, 6.0F;
  const DenseRows rows = dense_rows(matrix);
  const AffineRows affine{.rows = rows.view(), .factor = 2.0F};
  EXPECT_DOUBLE_EQ(sum_of_squares(affine, std::vector<RowIndex>{2, 0}), 4.0 * (61.0 + 5.0));
  EXPECT_THROW(static_cast<void>(sum_of_squares(affine, std::vector<RowIndex>{3})), std::invalid_argument);
}

}  // namespace
}  // namespace headstart::test
