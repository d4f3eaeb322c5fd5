// tests/head/insight/principal_components_test.cpp
#include "head/insight/principal_components.hpp"

#include <gtest/gtest.h>

#include <Eigen/SVD>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "tests/head/layers/sparse_matrix.hpp"

namespace headstart {
namespace {

Matrix random_rows(Eigen::Index rows, Eigen::Index columns, std::uint64_t seed) {
  Random random(seed);
  return test::random_matrix(rows, columns, random);
}

TEST(PrincipalComponents, AreThoseOfASingularValueDecomposition) {
  Matrix x = random_rows(60, 20, 3);
  x.col(4) *= 9.0F;  // two directions that stand out, as pictures of classes have them
  x.col(7) *= 6.0F;
  x.rowwise() += random_rows(1, 20, 4).row(0) * 5.0F;
  const PrincipalComponents found = principal_components(x * x.transpose());

  Eigen::MatrixXd centred = x.cast<double>();
  centred.rowwise() -= centred.colwise().mean().eval();
  const Eigen::BDCSVD<Eigen::MatrixXd> svd(centred, Eigen::ComputeThinU);
  const double total = centred.squaredNorm();
  for (Eigen::Index axis = 0; axis < 2; ++axis) {
    Eigen::VectorXd expected = svd.matrixU().col(axis) * svd.singularValues()(axis);
    Eigen::Index farthest = 0;
    expected.cwiseAbs().maxCoeff(&farthest);
    if (expected(farthest) < 0.0) expected = -expected;
    EXPECT_LT((found.coordinates.col(axis).cast<double>() - expected).norm(), 1e-4 * expected.norm());
    EXPECT_NEAR(found.variance_share[static_cast<std::size_t>(axis)],
                std::pow(svd.singularValues()(axis), 2) / total, 1e-5);
  }
}

TEST(PrincipalComponents, DoNotDependOnWhereTheRowsLie) {
  const Matrix x = random_rows(30, 8, 5);
  Matrix moved = x;
  moved.rowwise() += random_rows(1, 8, 6).row(0);
  const Matrix a = principal_components(x * x.transpose()).coordinates;
  const Matrix b = principal_components(moved * moved.transpose()).coordinates;
  EXPECT_LT((a - b).norm(), 1e-3F * a.norm());
}

TEST(PrincipalComponents, OneRowTwoRowsAndEqualRowsAreDrawable) {
  EXPECT_EQ(principal_components(Matrix::Ones(1, 1)).coordinates, Matrix::Zero(1, 2));
  const PrincipalComponents equal = principal_components(Matrix::Ones(5, 5));
  EXPECT_LT(equal.coordinates.norm(), 1e-5F);
  Matrix two(2, 2);
  two << 1.0F, 0.0F, 0.0F, 1.0F;  // two orthogonal rows: sqrt(2) apart
  const Matrix coordinates = principal_components(two).coordinates;
  EXPECT_NEAR((coordinates.row(0) - coordinates.row(1)).norm(), std::sqrt(2.0F), 1e-5F);
}

TEST(PrincipalComponents, RefuseWhatIsNoKernel) {
  EXPECT_THROW(static_cast<void>(principal_components(Matrix())), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(principal_components(Matrix::Ones(2, 3))), std::invalid_argument);
  Matrix odd = Matrix::Ones(2, 2);
  odd(1, 1) = std::numeric_limits<float>::infinity();
  EXPECT_THROW(static_cast<void>(principal_components(odd)), std::invalid_argument);
}

}  // namespace
}  // namespace headstart
