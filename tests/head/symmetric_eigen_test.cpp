// tests/head/symmetric_eigen_test.cpp: decompositions against what defines them, and against Eigen's.
#include "head/symmetric_eigen.hpp"

#include <gtest/gtest.h>

#include <Eigen/Eigenvalues>
#include <stdexcept>

#include "head/random.hpp"

namespace headstart {
namespace {

Eigen::MatrixXd random_symmetric(Eigen::Index n, std::uint64_t seed) {
  Random random(seed);
  Eigen::MatrixXd x(n, n);
  for (Eigen::Index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<double>(random.uniform()) - 0.5;
  return x + x.transpose();
}

TEST(SymmetricEigen, DecomposesTheMatrix) {
  for (const Eigen::Index n : {1, 2, 3, 31, 32, 33, 65, 200}) {  // 32: a block of the tridiagonal form
    const Eigen::MatrixXd a = random_symmetric(n, 7);
    const SymmetricEigen found = symmetric_eigen(a, 2);
    const Eigen::MatrixXd& v = found.vectors;
    EXPECT_LT((a * v - v * found.values.asDiagonal()).norm(), 1e-12 * static_cast<double>(n)) << n;
    EXPECT_LT((v.transpose() * v - Eigen::MatrixXd::Identity(n, n)).norm(), 1e-12 * static_cast<double>(n))
        << n;
    const Eigen::VectorXd expected = Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(a).eigenvalues();
    EXPECT_LT((found.values - expected).cwiseAbs().maxCoeff(), 1e-12 * static_cast<double>(n)) << n;
  }
}

TEST(SymmetricEigen, ReadsTheLowerTriangleOnly) {
  const Eigen::MatrixXd a = random_symmetric(9, 3);
  Eigen::MatrixXd lower = a.triangularView<Eigen::Lower>();
  EXPECT_EQ(symmetric_eigen(lower, 1).values, symmetric_eigen(a, 1).values);
}

TEST(SymmetricEigen, HasTheSameBitsWithAnyNumberOfThreads) {
  const Eigen::MatrixXd a = random_symmetric(300, 4);
  EXPECT_EQ(symmetric_eigen(a, 1).vectors, symmetric_eigen(a, 3).vectors);
}

TEST(SymmetricEigen, RefusesWhatIsNoSquare) {
  EXPECT_THROW(static_cast<void>(symmetric_eigen(Eigen::MatrixXd(2, 3), 1)), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(symmetric_eigen(Eigen::MatrixXd(0, 0), 1)), std::invalid_argument);
}

TEST(SymmetricEigen, TellsHowFarItIs) {
  double before = 0.0;
  int calls = 0;
  static_cast<void>(symmetric_eigen(random_symmetric(1500, 2), 1, {}, [&](double share) {
    EXPECT_GE(share, before);
    EXPECT_LE(share, 1.0 + 1e-9);
    before = share;
    ++calls;
  }));
  EXPECT_GT(calls, 2);
  EXPECT_GT(before, 0.4);
}

TEST(SymmetricEigen, StopsWhenAsked) {
  const auto always = Cancellation([] { return true; });
  EXPECT_THROW(static_cast<void>(symmetric_eigen(random_symmetric(20, 1), 1, always)), Cancelled);
}

}  // namespace
}  // namespace headstart
