// tests/head/insight/principal_components_test.cpp
#include "head/insight/principal_components.hpp"

#include <gtest/gtest.h>

#include <Eigen/SVD>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

#include "tests/head/layers/sparse_matrix.hpp"

namespace headstart {
namespace {

Matrix random_rows(Eigen::Index rows, Eigen::Index columns, std::uint64_t seed) {
  Random random(seed);
  return test::random_matrix(rows, columns, random);
}

PrincipalComponents components_of(const Matrix& x) {
  return principal_components(blocks_of(x), test::all_rows(static_cast<std::size_t>(x.rows())), 2);
}

TEST(PrincipalComponents, AreThoseOfASingularValueDecomposition) {
  for (const Eigen::Index rows : {60, 15}) {  // more and fewer than columns
    Matrix x = random_rows(rows, 20, 3);
    x.col(4) *= 9.0F;  // two directions that stand out, as pictures of classes have them
    x.col(7) *= 6.0F;
    x.rowwise() += random_rows(1, 20, 4).row(0) * 5.0F;
    const PrincipalComponents found = components_of(x);

    Eigen::MatrixXd centred = x.cast<double>();
    centred.rowwise() -= centred.colwise().mean().eval();
    const Eigen::JacobiSVD<Eigen::MatrixXd, Eigen::HouseholderQRPreconditioner> svd(centred,
                                                                                    Eigen::ComputeThinU);
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
    const PrincipalComponents some = principal_components(blocks_of(x), std::vector<RowIndex>{7, 3}, 1);
    for (Eigen::Index axis = 0; axis < 2; ++axis) {
      EXPECT_NEAR(std::abs(some.coordinates(0, axis)), std::abs(found.coordinates(7, axis)), 1e-5F);
      EXPECT_NEAR(std::abs(some.coordinates(1, axis)), std::abs(found.coordinates(3, axis)), 1e-5F);
    }
  }
}

TEST(PrincipalComponents, AreThoseOfScikitLearn) {
  // PCA(2) of scikit-learn 1.9.1 on x_ij = (i^2 (j + 2) + 3 i j) mod 11.
  Matrix x(12, 4);
  for (Eigen::Index i = 0; i < 12; ++i) {
    for (Eigen::Index j = 0; j < 4; ++j) x(i, j) = static_cast<float>((i * i * (j + 2) + 3 * i * j) % 11);
  }
  const PrincipalComponents found = components_of(x);
  EXPECT_NEAR(found.variance_share[0], 0.502623, 1e-6);
  EXPECT_NEAR(found.variance_share[1], 0.311485, 1e-6);
  // Its axes point the other way, as the farthest coordinates, of rows 0 and 4, are below zero there.
  EXPECT_NEAR(found.coordinates(0, 0), 9.34362F, 1e-4F);
  EXPECT_NEAR(found.coordinates(5, 0), -2.28568F, 1e-4F);
  EXPECT_NEAR(found.coordinates(4, 1), 6.72892F, 1e-4F);
  EXPECT_NEAR(found.coordinates(5, 1), -2.87536F, 1e-4F);
}

TEST(PrincipalComponents, DoNotDependOnWhereTheRowsLie) {
  const Matrix x = random_rows(30, 8, 5);
  Matrix moved = x;
  moved.rowwise() += random_rows(1, 8, 6).row(0);
  const Matrix a = components_of(x).coordinates;
  const Matrix b = components_of(moved).coordinates;
  EXPECT_LT((a - b).norm(), 1e-3F * a.norm());
}

TEST(PrincipalComponents, OneRowTwoRowsAndEqualRowsAreDrawable) {
  EXPECT_EQ(components_of(Matrix::Ones(1, 1)).coordinates, Matrix::Zero(1, 2));
  const PrincipalComponents equal = components_of(Matrix::Ones(5, 5));
  EXPECT_LT(equal.coordinates.norm(), 1e-5F);
  Matrix two(2, 2);
  two << 1.0F, 0.0F, 0.0F, 1.0F;  // two orthogonal rows: sqrt(2) apart
  const Matrix coordinates = components_of(two).coordinates;
  EXPECT_NEAR((coordinates.row(0) - coordinates.row(1)).norm(), std::sqrt(2.0F), 1e-5F);
}

TEST(PrincipalComponents, RefuseWhatTheyCannotDraw) {
  EXPECT_THROW(static_cast<void>(components_of(Matrix())), std::invalid_argument);
  const Matrix ones = Matrix::Ones(2, 3);
  EXPECT_THROW(static_cast<void>(principal_components(blocks_of(ones), std::vector<RowIndex>{2}, 1)),
               std::invalid_argument);
  Matrix odd = Matrix::Ones(2, 2);
  odd(1, 1) = std::numeric_limits<float>::infinity();
  EXPECT_THROW(static_cast<void>(components_of(odd)), std::invalid_argument);
}

}  // namespace
}  // namespace headstart
