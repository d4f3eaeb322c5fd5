// tests/head/search/ridge_test.cpp: ridge regression in both forms against the normal equations on X,
// refitted without each row, or each group, in turn.
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
  [[nodiscard]] Matrix rows() const { return features.cast<float>(); }
};

/// The regression of the Gram matrix.
RidgeRegression ridge_of(const Problem& problem) {
  return RidgeRegression(problem.kernel(), problem.labels, kRidgeClasses, {.threads = 2});
}

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

/// @param groups  of each row; below 0: the row alone
Eigen::MatrixXd leave_out_by_refits(const Problem& problem, double lambda,
                                    const std::vector<std::int32_t>& groups) {
  const Eigen::Index n = problem.features.rows();
  Eigen::MatrixXd scores(n, kRidgeClasses);
  for (Eigen::Index left_out = 0; left_out < n; ++left_out) {
    const std::int32_t group = groups[static_cast<std::size_t>(left_out)];
    std::vector<RowIndex> training;
    for (RowIndex row = 0; row < n; ++row) {
      if (row != left_out && (group < 0 || groups[static_cast<std::size_t>(row)] != group))
        training.push_back(row);
    }
    scores.row(left_out) =
        score_by_normal_equations(problem, training, problem.features.row(left_out), lambda);
  }
  return scores;
}

Eigen::MatrixXd leave_one_out_by_refits(const Problem& problem, double lambda) {
  return leave_out_by_refits(problem, lambda, std::vector<std::int32_t>(problem.labels.size(), -1));
}

double worst_difference(const Matrix& found, const Eigen::MatrixXd& expected) {
  return (found.cast<double>() - expected).cwiseAbs().maxCoeff();
}

TEST(RidgeRegression, LeaveOneOutIsThatOfRefitsWithoutEachRow) {
  EXPECT_TRUE(rc::check([] {
    const auto rows = *rc::gen::inRange<Eigen::Index>(4, 16);
    const auto columns = *rc::gen::inRange<Eigen::Index>(1, 30);  // wider and narrower than long
    const Problem problem = random_problem(rows, columns, *rc::gen::arbitrary<std::uint64_t>());
    const Matrix matrix = problem.rows();
    const RidgeRegression of_gram = ridge_of(problem);
    const RidgeRegression of_rows(blocks_of(matrix), problem.labels, kRidgeClasses);
    const std::vector<double> lambdas = of_gram.default_lambdas();
    // The first one interpolates where there are enough columns: 1 - S_ii is near 1e-6 there.
    for (const std::size_t index : {0U, 8U, 16U, 24U}) {
      const std::vector<double> lambda{lambdas[index]};
      const Eigen::MatrixXd expected = leave_one_out_by_refits(problem, lambda[0]);
      for (const RidgeRegression* ridge : {&of_gram, &of_rows}) {
        RC_ASSERT(worst_difference(ridge->leave_out(lambda).scores, expected) <
                  kTolerance * expected.cwiseAbs().maxCoeff());
      }
    }
  }));
}

TEST(RidgeRegression, LeaveGroupOutIsThatOfRefitsWithoutEachGroup) {
  EXPECT_TRUE(rc::check([] {
    const auto rows = *rc::gen::inRange<Eigen::Index>(6, 20);
    // With 1 and 2 columns some groups have more rows than columns: they are solved in the columns.
    const auto columns = *rc::gen::inRange<Eigen::Index>(1, 30);
    Problem problem = random_problem(rows, columns, *rc::gen::arbitrary<std::uint64_t>());
    std::vector<std::int32_t> groups(static_cast<std::size_t>(rows), -1);
    for (std::int32_t& group : groups) group = *rc::gen::inRange<std::int32_t>(-1, 4);
    groups[0] = 7;  // no group holds all rows
    groups[1] = groups[2] = 9;
    problem.features.row(2) = problem.features.row(1);  // copies
    const Matrix matrix = problem.rows();
    const RidgeRegression of_gram = ridge_of(problem);
    const RidgeRegression of_rows(blocks_of(matrix), problem.labels, kRidgeClasses);
    const std::vector<double> lambdas = of_gram.default_lambdas();
    for (const std::size_t index : {8U, 16U, 24U}) {
      const std::vector<double> lambda{lambdas[index]};
      const Eigen::MatrixXd expected = leave_out_by_refits(problem, lambda[0], groups);
      for (const RidgeRegression* ridge : {&of_gram, &of_rows}) {
        RC_ASSERT(worst_difference(ridge->leave_out(lambda, groups).scores, expected) <
                  kTolerance * std::max(1.0, expected.cwiseAbs().maxCoeff()));
      }
    }
  }));
}

/// x_ij = (i^2 (j + 2) + 3 i j) mod 11.
Matrix rows_of_scikit_learn() {
  Matrix rows(12, 4);
  for (Eigen::Index i = 0; i < 12; ++i) {
    for (Eigen::Index j = 0; j < 4; ++j) rows(i, j) = static_cast<float>((i * i * (j + 2) + 3 * i * j) % 11);
  }
  return rows;
}

TEST(RidgeRegression, IsThatOfScikitLearn) {
  // cross_val_predict(Ridge(alpha=2.5), x, one_hot, cv=LeaveOneOut() and LeaveOneGroupOut()), scikit-learn
  // 1.9.1: rows 0, 5 and 11.
  const Matrix rows = rows_of_scikit_learn();
  std::vector<std::int32_t> labels;
  std::vector<std::int32_t> groups;
  for (std::int32_t i = 0; i < 12; ++i) {
    labels.push_back((2 * i + i / 5) % 3);
    groups.push_back(i / 3);
  }
  Eigen::MatrixXd alone(3, 3);
  alone << 0.672963, 0.327786, -0.000748, 0.577908, 0.356366, 0.065725, 0.672963, 0.327786, -0.000748;
  Eigen::MatrixXd together(3, 3);
  together << 0.687826, 0.456594, -0.14442, 0.279426, 0.598494, 0.12208, 0.79284, 0.051727, 0.155433;
  const std::vector<double> lambda{2.5};
  const RidgeRegression of_rows(blocks_of(rows), labels, 3);
  const RidgeRegression of_gram(rows * rows.transpose(), labels, 3);
  for (const RidgeRegression* ridge : {&of_rows, &of_gram}) {
    const Matrix found = ridge->leave_out(lambda).scores;
    const Matrix found_together = ridge->leave_out(lambda, groups).scores;
    Eigen::Index at = 0;
    for (const Eigen::Index row : {0, 5, 11}) {
      EXPECT_LT(worst_difference(found.row(row), alone.row(at)), 2e-6) << row;
      EXPECT_LT(worst_difference(found_together.row(row), together.row(at++)), 2e-6) << row;
    }
  }
}

TEST(RidgeRegression, ACopyIsNoHelpWhereItIsLeftOutToo) {
  // Labels are drawn at random: whoever sees a row's copy knows them, and nobody else does.
  Random random(5);
  Problem problem = random_problem(40, 200, 5);
  for (std::size_t row = 0; row < 40; ++row) {
    problem.labels[row] =
        row % 2 == 0 ? static_cast<std::int32_t>(random.below(kRidgeClasses)) : problem.labels[row - 1];
    for (Eigen::Index column = 0; column < 200; ++column) {
      problem.features(static_cast<Eigen::Index>(row), column) =
          row % 2 == 0 ? static_cast<double>(random.below(9))
                       : problem.features(static_cast<Eigen::Index>(row) - 1, column);
    }
  }
  std::vector<std::int32_t> pairs(40);
  for (std::size_t row = 0; row < 40; ++row) pairs[row] = static_cast<std::int32_t>(row / 2);
  const RidgeRegression ridge = ridge_of(problem);
  const std::vector<double> lambda{ridge.default_lambdas()[8]};
  EXPECT_EQ(ridge.leave_out(lambda).accuracies[0], 1.0);
  EXPECT_LT(ridge.leave_out(lambda, pairs).accuracies[0], 0.6);
}

TEST(RidgeRegression, IsTheSameWithAnyNumberOfThreadsAndInBlocks) {
  const Problem problem = random_problem(5000, 20, 12);  // more than one block of rows
  const Matrix matrix = problem.rows();
  std::vector<std::int32_t> groups(5000, -1);
  for (std::size_t row = 0; row < 5000; row += 3)
    groups[row] = static_cast<std::int32_t>(row % 7 == 0 ? 0 : row / 9);
  std::size_t done = 0;
  std::size_t total = 0;
  const RidgeRegression one(blocks_of(matrix), problem.labels, kRidgeClasses, {.threads = 1});
  const RidgeRegression three(blocks_of(matrix), problem.labels, kRidgeClasses,
                              {.threads = 3, .progress = [&](std::size_t now, std::size_t all) {
                                 EXPECT_GE(now, done);
                                 done = now;
                                 total = all;
                               }});
  const std::vector<double> lambdas = one.default_lambdas();
  const RidgeBaseline found = three.leave_out(lambdas, groups);
  EXPECT_EQ(found.scores, one.leave_out(lambdas, groups).scores);
  EXPECT_EQ(done, total);
  EXPECT_GT(total, 5000U);
  // And it is that of the Gram matrix of the rows, as far as one can be made.
  const Matrix few = matrix.topRows(60);
  const std::span<const std::int32_t> labels = std::span(problem.labels).first(60);
  const RidgeRegression by_columns(blocks_of(few), labels, kRidgeClasses);
  const RidgeRegression by_rows(few * few.transpose(), labels, kRidgeClasses);
  const std::vector<double> lambda{by_rows.default_lambdas()[12]};
  EXPECT_LT((by_columns.leave_out(lambda).scores - by_rows.leave_out(lambda).scores).cwiseAbs().maxCoeff(),
            1e-5F);
}

TEST(RidgeRegression, ScoresOfARowSumToOne) {
  const Problem problem = random_problem(25, 10, 3);
  const RidgeRegression ridge = ridge_of(problem);
  const RidgeBaseline found = ridge.leave_out(ridge.default_lambdas());
  EXPECT_LT((found.scores.rowwise().sum().array() - 1.0F).abs().maxCoeff(), 1e-4F);
}

TEST(RidgeRegression, AccuraciesAreThoseOfTheScoresAndTheBestIsTheHighest) {
  const Problem problem = random_problem(40, 12, 8);
  const RidgeRegression ridge = ridge_of(problem);
  const std::vector<double> lambdas = ridge.default_lambdas();
  const RidgeBaseline all = ridge.leave_out(lambdas);
  ASSERT_EQ(all.accuracies.size(), lambdas.size());
  for (std::size_t i = 0; i < lambdas.size(); ++i) {
    const std::vector<double> one{lambdas[i]};
    const Matrix scores = ridge.leave_out(one).scores;
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
  const RidgeRegression ridge = ridge_of(problem);
  const RidgeBaseline falling = ridge.leave_out(std::vector<double>{0.3, 0.2, 0.1});
  const RidgeBaseline rising = ridge.leave_out(std::vector<double>{0.1, 0.2, 0.3});
  EXPECT_EQ(falling.accuracies, std::vector<double>(3, 1.0));
  EXPECT_EQ(falling.best, 0U);
  EXPECT_EQ(rising.best, 2U);
}

TEST(RidgeRegression, IdenticalRowsAreScoredByTheOtherRowsLabels) {
  const Matrix kernel = Matrix::Constant(4, 4, 9.0F);
  const std::vector<std::int32_t> labels{0, 0, 0, 1};
  const RidgeRegression ridge(kernel, labels, 2);
  const RidgeBaseline found = ridge.leave_out(ridge.default_lambdas());
  EXPECT_NEAR(found.scores(0, 0), 2.0 / 3.0, 1e-6);
  EXPECT_NEAR(found.scores(3, 0), 1.0, 1e-6);
}

TEST(RidgeRegression, DefaultLambdasFollowTheScaleOfTheFeatures) {
  const Problem problem = random_problem(9, 5, 2);
  const std::vector<double> lambdas = ridge_of(problem).default_lambdas();
  const std::vector<double> scaled =
      RidgeRegression(Matrix(problem.kernel() * 64.0F), problem.labels, kRidgeClasses).default_lambdas();
  const Matrix matrix = problem.rows();
  const std::vector<double> of_rows =
      RidgeRegression(blocks_of(matrix), problem.labels, kRidgeClasses).default_lambdas();
  ASSERT_EQ(lambdas.size(), 25U);
  EXPECT_TRUE(std::is_sorted(lambdas.begin(), lambdas.end()));
  const Eigen::MatrixXd centred = problem.features.rowwise() - problem.features.colwise().mean();
  EXPECT_NEAR(lambdas.front() / (1e-6 * centred.squaredNorm() / 9.0), 1.0, 1e-5);
  EXPECT_NEAR(lambdas.back() / lambdas.front(), 1e9, 1.0);
  for (std::size_t i = 0; i < lambdas.size(); ++i) {
    EXPECT_NEAR(scaled[i] / lambdas[i], 64.0, 1e-9);
    EXPECT_NEAR(of_rows[i] / lambdas[i], 1.0, 1e-6);
  }
}

TEST(RidgeRegression, RefusesWhatItCannotFit) {
  using Labels = std::vector<std::int32_t>;
  const auto of_gram = [](const Matrix& gram, const Labels& labels) {
    static_cast<void>(RidgeRegression(gram, labels, 2));
  };
  const auto of_rows = [](const Matrix& rows, const Labels& labels) {
    static_cast<void>(RidgeRegression(blocks_of(rows), labels, 2));
  };
  EXPECT_THROW(of_gram(Matrix::Ones(3, 4), {0, 1, 0}), std::invalid_argument);
  EXPECT_THROW(of_gram(Matrix::Ones(1, 1), {0}), std::invalid_argument);
  const auto above = static_cast<Eigen::Index>(kMaxRidgeSide) + 1;
  EXPECT_THROW(of_gram(Matrix::Zero(above, above), Labels(kMaxRidgeSide + 1, 0)), std::invalid_argument);
  EXPECT_THROW(of_rows(Matrix::Zero(above + 1, above), Labels(kMaxRidgeSide + 2, 0)), std::invalid_argument);
  Matrix broken = Matrix::Identity(3, 3);
  broken(2, 1) = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THROW(of_gram(broken, {0, 1, 0}), std::invalid_argument);
  EXPECT_THROW(of_rows(broken, {0, 1, 0}), std::invalid_argument);
  EXPECT_THROW(of_rows(broken.leftCols(2), {0, 1, 0}), std::invalid_argument);
  for (const Labels& labels : {Labels{0, 1}, Labels{0, 1, 2}, Labels{0, -1, 0}}) {
    EXPECT_THROW(of_gram(Matrix::Identity(3, 3), labels), std::invalid_argument);
    EXPECT_THROW(of_rows(Matrix::Ones(3, 2), labels), std::invalid_argument);
  }

  const RidgeRegression ridge(Matrix::Identity(3, 3), Labels{0, 1, 0}, 2);
  const auto leave_out = [&](const std::vector<double>& lambdas, const Labels& groups) {
    static_cast<void>(ridge.leave_out(lambdas, groups));
  };
  EXPECT_NO_THROW(leave_out({1.0}, {1, 1, -1}));
  EXPECT_THROW(leave_out({}, {}), std::invalid_argument);
  EXPECT_THROW(leave_out({0.0}, {}), std::invalid_argument);
  EXPECT_THROW(leave_out({std::numeric_limits<double>::infinity()}, {}), std::invalid_argument);
  EXPECT_THROW(leave_out({1.0}, {1, 1}), std::invalid_argument);
  EXPECT_THROW(leave_out({1.0}, {1, 1, 1}), std::invalid_argument);
}

}  // namespace
}  // namespace headstart::test
