// tests/head/insight/transferability_test.cpp: LogME from the kernel against the paper's formulas on the
// features.
#include "head/insight/transferability.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>
#include <Eigen/QR>
#include <cmath>
#include <limits>
#include <numbers>
#include <stdexcept>
#include <vector>

#include "head/random.hpp"
#include "tests/head/layers/sparse_matrix.hpp"

namespace headstart::test {
namespace {

constexpr int kClasses = 3;

struct Problem {
  Eigen::MatrixXd features;  // small integers: K is exact in float
  std::vector<std::int32_t> labels;

  [[nodiscard]] Matrix kernel() const { return (features * features.transpose()).cast<float>(); }
  [[nodiscard]] double score() const {
    return log_maximum_evidence(kernel(), labels, kClasses, features.cols(), 1);
  }
};

Problem random_problem(Eigen::Index rows, Eigen::Index columns, int signal, std::uint64_t seed) {
  Random random(seed);
  Problem problem;
  problem.features.resize(rows, columns);
  for (Eigen::Index row = 0; row < rows; ++row) {
    problem.labels.push_back(static_cast<std::int32_t>(random.below(kClasses)));
    for (Eigen::Index column = 0; column < columns; ++column)
      problem.features(row, column) = static_cast<double>(random.below(9)) - 4.0;
    problem.features(row, problem.labels.back() % columns) += signal;
  }
  return problem;
}

/// Equations (1) to (3) of the paper for one class, with A [d, d], its inverse and its determinant.
double evidence_on_features(const Eigen::MatrixXd& x, const Eigen::VectorXd& y) {
  const auto n = static_cast<double>(x.rows());
  const auto d = static_cast<double>(x.cols());
  const Eigen::MatrixXd gram = x.transpose() * x;
  const Eigen::VectorXd spectrum =
      Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(gram).eigenvalues().cwiseMax(0.0);
  double alpha = 1.0;
  double beta = 1.0;
  double log_evidence = 0.0;
  for (int iteration = 0; iteration < 3000; ++iteration) {
    Eigen::MatrixXd a = beta * gram;
    a.diagonal().array() += alpha;
    const Eigen::LLT<Eigen::MatrixXd> factor(a);
    const Eigen::VectorXd m = beta * factor.solve(x.transpose() * y);
    const double residual = (x * m - y).squaredNorm();
    const double log_determinant = 2.0 * factor.matrixLLT().diagonal().array().log().sum();
    log_evidence = 0.5 * n * std::log(beta) + 0.5 * d * std::log(alpha) -
                   0.5 * n * std::log(2.0 * std::numbers::pi) - 0.5 * beta * residual -
                   0.5 * alpha * m.squaredNorm() - 0.5 * log_determinant;
    const double gamma = (beta * spectrum.array() / (alpha + beta * spectrum.array())).sum();
    alpha = gamma / m.squaredNorm();
    beta = (n - gamma) / residual;
  }
  return log_evidence / n;
}

double score_on_features(const Problem& problem) {
  double sum = 0.0;
  int present = 0;
  for (int label = 0; label < kClasses; ++label) {
    Eigen::VectorXd y(problem.features.rows());
    for (Eigen::Index row = 0; row < y.size(); ++row)
      y(row) = problem.labels[static_cast<std::size_t>(row)] == label ? 1.0 : 0.0;
    if (y.isZero()) continue;
    sum += evidence_on_features(problem.features, y);
    ++present;
  }
  return sum / present;
}

TEST(LogMaximumEvidence, IsThePapersOnMoreRowsThanColumns) {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    const Problem problem = random_problem(40, 6, 6, seed);
    EXPECT_NEAR(problem.score(), score_on_features(problem), 1e-5) << "seed " << seed;
  }
}

TEST(LogMaximumEvidence, IsThePapersOnMoreColumnsThanRows) {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    const Problem problem = random_problem(14, 35, 12, seed);
    EXPECT_NEAR(problem.score(), score_on_features(problem), 1e-5) << "seed " << seed;
  }
}

/// Whether no class lies in the span of the features. Where one does, the noise vanishes and the evidence has
/// no bound: the last digits decide how far an iteration gets.
bool is_bounded(const Problem& problem) {
  const auto qr = problem.features.colPivHouseholderQr();
  for (int label = 0; label < kClasses; ++label) {
    Eigen::VectorXd y(problem.features.rows());
    for (Eigen::Index row = 0; row < y.size(); ++row)
      y(row) = problem.labels[static_cast<std::size_t>(row)] == label ? 1.0 : 0.0;
    if (!y.isZero() && (problem.features * qr.solve(y) - y).squaredNorm() < 1e-9) return false;
  }
  return true;
}

TEST(LogMaximumEvidence, IsTheSameFromTheColumns) {
  EXPECT_TRUE(rc::check([] {
    const auto rows = *rc::gen::inRange<Eigen::Index>(3, 40);
    const auto columns = *rc::gen::inRange<Eigen::Index>(1, 40);
    Problem problem = random_problem(rows, columns, 5, *rc::gen::arbitrary<std::uint64_t>());
    problem.features.col(0) = problem.features.col(columns - 1);  // an eigenvalue 0, mostly
    const Matrix matrix = problem.features.cast<float>();
    Workers workers(2);
    const RowMoments moments = moments_of(blocks_of(matrix), problem.labels, kClasses, workers);
    const double found = log_maximum_evidence(moments, 2);
    if (is_bounded(problem)) RC_ASSERT(std::abs(found - problem.score()) < 1e-5);
    RC_ASSERT(std::isfinite(found));
  }));
}

TEST(LogMaximumEvidence, IsKnownInClosedFormForOrthogonalRows) {
  // K = c I: any alpha / beta explains y as well, with total variance k / n for k rows of the class.
  const std::vector<std::int32_t> labels{0, 0, 0, 1, 1, 2};
  double expected = 0.0;
  for (const double k : {3.0, 2.0, 1.0})
    expected += 0.5 * (std::log(6.0 / k) - 1.0 - std::log(2.0 * std::numbers::pi)) / 3.0;
  EXPECT_NEAR(log_maximum_evidence(7.0F * Matrix::Identity(6, 6), labels, 3, 100, 1), expected, 1e-12);
}

TEST(LogMaximumEvidence, DoesNotDependOnTheScaleOfTheFeatures) {
  const Problem problem = random_problem(30, 8, 3, 4);
  for (const float factor : {1e-6F, 0.25F, 1e8F}) {
    EXPECT_NEAR(log_maximum_evidence(factor * problem.kernel(), problem.labels, kClasses, 8, 1),
                problem.score(), 1e-5);
  }
}

TEST(LogMaximumEvidence, LeavesOutTheRoundingBeyondTheColumns) {
  // Features that nearly are the targets: alpha / beta is so small that float's rounding of K, which looks
  // like 27 more eigenvalues, would count.
  Problem problem = random_problem(30, 3, 0, 6);
  problem.features *= 0.01234;
  for (Eigen::Index row = 0; row < 30; ++row)
    problem.features(row, problem.labels[static_cast<std::size_t>(row)]) += 100.0;
  EXPECT_NEAR(problem.score(), score_on_features(problem), 1e-4);
  const double with_rounding = log_maximum_evidence(problem.kernel(), problem.labels, kClasses, 30, 1);
  EXPECT_GT(std::abs(with_rounding - problem.score()), 1e-3);
}

TEST(LogMaximumEvidence, RanksFeaturesByWhatTheySayOfTheLabels) {
  const double none = random_problem(60, 10, 0, 9).score();
  const double some = random_problem(60, 10, 4, 9).score();
  const double much = random_problem(60, 10, 40, 9).score();
  EXPECT_LT(none, some);
  EXPECT_LT(some, much);
}

TEST(LogMaximumEvidence, TakesFeaturesThatSayNothingAtAll) {
  const std::vector<std::int32_t> labels{0, 1, 0, 1};
  const double expected = 0.5 * (std::log(2.0) - 1.0 - std::log(2.0 * std::numbers::pi));
  EXPECT_NEAR(log_maximum_evidence(Matrix::Zero(4, 4), labels, 2, 5, 1), expected, 1e-9);
}

TEST(LogMaximumEvidence, LeavesOutClassesWithoutRows) {
  const Problem problem = random_problem(20, 5, 3, 2);
  EXPECT_EQ(log_maximum_evidence(problem.kernel(), problem.labels, kClasses + 4, 5, 1), problem.score());
}

TEST(LogMaximumEvidence, RefusesWhatItCannotScore) {
  const std::vector<std::int32_t> labels{0, 1, 0};
  const auto score = [&](const Matrix& kernel, int classes, std::int64_t columns) {
    static_cast<void>(log_maximum_evidence(kernel, labels, classes, columns, 1));
  };
  EXPECT_NO_THROW(score(Matrix::Identity(3, 3), 2, 4));
  EXPECT_THROW(score(Matrix::Identity(3, 2), 2, 4), std::invalid_argument);
  EXPECT_THROW(score(Matrix::Identity(2, 2), 2, 4), std::invalid_argument);
  EXPECT_THROW(score(Matrix::Identity(3, 3), 1, 4), std::invalid_argument);
  EXPECT_THROW(score(Matrix::Identity(3, 3), 2, 0), std::invalid_argument);
  EXPECT_THROW(score(Matrix::Constant(3, 3, std::numeric_limits<float>::quiet_NaN()), 2, 4),
               std::invalid_argument);
}

}  // namespace
}  // namespace headstart::test
