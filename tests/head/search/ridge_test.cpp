// tests/head/search/ridge_test.cpp: ridge regression from the kernel against the normal equations on X,
// refitted without each row in turn.
#include "head/search/ridge.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

#include "head/insight/metrics.hpp"
#include "head/random.hpp"
#include "tests/head/layers/sparse_matrix.hpp"

namespace headstart::test {
namespace {

constexpr int kRidgeClasses = 3;
// Features are small integers: K is exact in float, so nothing but the formulas and the scores' rounding to
// float is tested, also where the smallest lambda magnifies every error of K a millionfold.
constexpr double kTolerance = 1e-5;

struct Problem {
  Eigen::MatrixXd features;  // [rows, columns]
  std::vector<std::int32_t> labels;

  [[nodiscard]] Matrix kernel() const { return (features * features.transpose()).cast<float>(); }
};

Problem random_problem(Eigen::Index rows, Eigen::Index columns, std::uint64_t seed) {
  Random random(seed);
  Problem problem;
  problem.features.resize(rows, columns);
  for (Eigen::Index row = 0; row < rows; ++row) {
    problem.labels.push_back(static_cast<std::int32_t>(random.below(kRidgeClasses)));
    // Off the origin, as features behind a ReLU are: without the centring nothing here would agree.
    for (Eigen::Index column = 0; column < columns; ++column)
      problem.features(row, column) = 5.0 + static_cast<double>(random.below(9));
    problem.features(row, problem.labels.back() % columns) += 4.0;
  }
  return problem;
}

/// Scores of one row by the normal equations with an unpenalised intercept, fitted to the rows in `training`.
Eigen::RowVectorXd score_by_normal_equations(const Problem& problem, const std::vector<RowIndex>& training,
                                             const Eigen::RowVectorXd& row, double lambda) {
  const auto n = static_cast<Eigen::Index>(training.size());
  Eigen::MatrixXd x(n, problem.features.cols());
  Eigen::MatrixXd y = Eigen::MatrixXd::Zero(n, kRidgeClasses);
  for (Eigen::Index i = 0; i < n; ++i) {
    const RowIndex from = training[static_cast<std::size_t>(i)];
    x.row(i) = problem.features.row(from);
    y(i, problem.labels[static_cast<std::size_t>(from)]) = 1.0;
  }
  const Eigen::RowVectorXd x_mean = x.colwise().mean();
  const Eigen::RowVectorXd y_mean = y.colwise().mean();
  x.rowwise() -= x_mean;
  y.rowwise() -= y_mean;
  Eigen::MatrixXd gram = x.transpose() * x;
  gram.diagonal().array() += lambda;
  return (row - x_mean) * gram.ldlt().solve(x.transpose() * y) + y_mean;
}

Eigen::MatrixXd leave_one_out_by_refits(const Problem& problem, double lambda) {
  const Eigen::Index n = problem.features.rows();
  Eigen::MatrixXd scores(n, kRidgeClasses);
  for (Eigen::Index left_out = 0; left_out < n; ++left_out) {
    std::vector<RowIndex> training = all_rows(static_cast<std::size_t>(n));
    training.erase(training.begin() + left_out);
    scores.row(left_out) =
        score_by_normal_equations(problem, training, problem.features.row(left_out), lambda);
  }
  return scores;
}

double worst_difference(const Matrix& found, const Eigen::MatrixXd& expected) {
  return (found.cast<double>() - expected).cwiseAbs().maxCoeff();
}

TEST(RidgeRegression, LeaveOneOutIsThatOfRefitsWithoutEachRow) {
  EXPECT_TRUE(rc::check([] {
    const auto rows = *rc::gen::inRange<Eigen::Index>(4, 16);
    const auto columns = *rc::gen::inRange<Eigen::Index>(1, 30);  // wider and narrower than long
    const Problem problem = random_problem(rows, columns, *rc::gen::arbitrary<std::uint64_t>());
    const RidgeRegression ridge(problem.kernel());
    const std::vector<double> lambdas = ridge.default_lambdas();
    // The first one interpolates where there are enough columns: 1 - S_ii is near 1e-6 there.
    for (const std::size_t index : {0U, 8U, 16U, 24U}) {
      const std::vector<double> lambda{lambdas[index]};
      const RidgeBaseline found = ridge.leave_one_out(problem.labels, kRidgeClasses, lambda);
      const Eigen::MatrixXd expected = leave_one_out_by_refits(problem, lambda[0]);
      RC_ASSERT(worst_difference(found.scores, expected) < kTolerance * expected.cwiseAbs().maxCoeff());
    }
  }));
}

TEST(RidgeRegression, PredictsOtherRowsAsTheNormalEquationsDo) {
  for (const Eigen::Index columns : {5, 60}) {
    const Problem problem = random_problem(30, columns, 11);
    const Matrix kernel = problem.kernel();
    const Eigen::Index training = 20;
    const std::vector<std::int32_t> labels(problem.labels.begin(), problem.labels.begin() + training);
    const RidgeRegression ridge(kernel.topLeftCorner(training, training));
    const double lambda = ridge.default_lambdas()[16];
    const Matrix found =
        ridge.fit(labels, kRidgeClasses, lambda).scores(kernel.bottomLeftCorner(10, training));
    for (Eigen::Index row = 0; row < found.rows(); ++row) {
      const Eigen::RowVectorXd expected =
          score_by_normal_equations(problem, all_rows(20), problem.features.row(training + row), lambda);
      EXPECT_LT(worst_difference(found.row(row), expected), kTolerance) << columns << " columns, row " << row;
    }
  }
}

TEST(RidgeRegression, ScoresOfARowSumToOne) {
  const Problem problem = random_problem(25, 10, 3);
  const RidgeRegression ridge(problem.kernel());
  const RidgeBaseline found = ridge.leave_one_out(problem.labels, kRidgeClasses, ridge.default_lambdas());
  EXPECT_LT((found.scores.rowwise().sum().array() - 1.0F).abs().maxCoeff(), 1e-4F);
}

TEST(RidgeRegression, AccuraciesAreThoseOfTheScoresAndTheBestIsTheHighest) {
  const Problem problem = random_problem(40, 12, 8);
  const RidgeRegression ridge(problem.kernel());
  const std::vector<double> lambdas = ridge.default_lambdas();
  const RidgeBaseline all = ridge.leave_one_out(problem.labels, kRidgeClasses, lambdas);
  ASSERT_EQ(all.accuracies.size(), lambdas.size());
  for (std::size_t i = 0; i < lambdas.size(); ++i) {
    const std::vector<double> one{lambdas[i]};
    const Matrix scores = ridge.leave_one_out(problem.labels, kRidgeClasses, one).scores;
    const std::vector<std::int32_t> predictions = predicted_classes(scores);
    double hits = 0.0;
    for (std::size_t row = 0; row < predictions.size(); ++row)
      hits += predictions[row] == problem.labels[row] ? 1.0 : 0.0;
    EXPECT_EQ(all.accuracies[i], hits / 40.0) << "lambda " << lambdas[i];
    EXPECT_LE(all.accuracies[i], all.accuracies[all.best]);
    if (all.accuracies[i] == all.accuracies[all.best]) {
      EXPECT_LE(lambdas[i], lambdas[all.best]);
    }
    if (i == all.best) {
      EXPECT_EQ(all.scores, scores);
    }
  }
}

TEST(RidgeRegression, GivesATieToTheLargerLambdaInAnyOrder) {
  Problem problem = random_problem(12, 4, 1);
  for (std::size_t i = 0; i < 12; ++i) {  // so far apart that every small lambda is right everywhere
    problem.labels[i] = static_cast<std::int32_t>(i % kRidgeClasses);
    problem.features.row(static_cast<Eigen::Index>(i)).setConstant(0.0);
    problem.features(static_cast<Eigen::Index>(i), problem.labels[i]) = 10.0;
  }
  const RidgeRegression ridge(problem.kernel());
  const RidgeBaseline falling =
      ridge.leave_one_out(problem.labels, kRidgeClasses, std::vector<double>{0.3, 0.2, 0.1});
  const RidgeBaseline rising =
      ridge.leave_one_out(problem.labels, kRidgeClasses, std::vector<double>{0.1, 0.2, 0.3});
  EXPECT_EQ(falling.accuracies, std::vector<double>(3, 1.0));
  EXPECT_EQ(falling.best, 0U);
  EXPECT_EQ(rising.best, 2U);
}

TEST(RidgeRegression, IdenticalRowsAreScoredByTheOtherRowsLabels) {
  const Matrix kernel = Matrix::Constant(4, 4, 9.0F);
  const std::vector<std::int32_t> labels{0, 0, 0, 1};
  const RidgeRegression ridge(kernel);
  const RidgeBaseline found = ridge.leave_one_out(labels, 2, ridge.default_lambdas());
  EXPECT_NEAR(found.scores(0, 0), 2.0 / 3.0, 1e-6);
  EXPECT_NEAR(found.scores(3, 0), 1.0, 1e-6);
}

TEST(RidgeRegression, DefaultLambdasFollowTheScaleOfTheFeatures) {
  const Problem problem = random_problem(9, 5, 2);
  const std::vector<double> lambdas = RidgeRegression(problem.kernel()).default_lambdas();
  const std::vector<double> scaled = RidgeRegression(Matrix(problem.kernel() * 64.0F)).default_lambdas();
  ASSERT_EQ(lambdas.size(), 25U);
  EXPECT_TRUE(std::is_sorted(lambdas.begin(), lambdas.end()));
  const Eigen::MatrixXd centred = problem.features.rowwise() - problem.features.colwise().mean();
  EXPECT_NEAR(lambdas.front() / (1e-6 * centred.squaredNorm() / 9.0), 1.0, 1e-5);
  EXPECT_NEAR(lambdas.back() / lambdas.front(), 1e9, 1.0);
  for (std::size_t i = 0; i < lambdas.size(); ++i) EXPECT_NEAR(scaled[i] / lambdas[i], 64.0, 1e-9);
}

TEST(RidgeRegression, RefusesWhatItCannotFit) {
  EXPECT_THROW(RidgeRegression(Matrix::Ones(3, 4)), std::invalid_argument);
  EXPECT_THROW(RidgeRegression(Matrix::Ones(1, 1)), std::invalid_argument);
  const auto above = static_cast<Eigen::Index>(kMaxRidgeRows) + 1;
  EXPECT_THROW(RidgeRegression(Matrix::Zero(above, above)), std::invalid_argument);
  Matrix broken = Matrix::Identity(3, 3);
  broken(2, 1) = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THROW(RidgeRegression{broken}, std::invalid_argument);

  const RidgeRegression ridge(Matrix::Identity(3, 3));
  const std::vector<double> lambda{1.0};
  const auto leave_one_out = [&](const std::vector<std::int32_t>& labels,
                                 const std::vector<double>& lambdas) {
    static_cast<void>(ridge.leave_one_out(labels, 2, lambdas));
  };
  EXPECT_NO_THROW(leave_one_out({0, 1, 0}, lambda));
  EXPECT_THROW(leave_one_out({0, 1}, lambda), std::invalid_argument);
  EXPECT_THROW(leave_one_out({0, 1, 2}, lambda), std::invalid_argument);
  EXPECT_THROW(leave_one_out({0, -1, 0}, lambda), std::invalid_argument);
  EXPECT_THROW(leave_one_out({0, 1, 0}, {}), std::invalid_argument);
  EXPECT_THROW(leave_one_out({0, 1, 0}, {0.0}), std::invalid_argument);
  EXPECT_THROW(leave_one_out({0, 1, 0}, {std::numeric_limits<double>::infinity()}), std::invalid_argument);
  const std::vector<std::int32_t> labels{0, 1, 0};
  EXPECT_THROW(static_cast<void>(ridge.fit(labels, 2, -1.0)), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(ridge.fit(labels, 2, 1.0).scores(Matrix::Ones(1, 2))),
               std::invalid_argument);
}

}  // namespace
}  // namespace headstart::test
