// tests/head/insight/nearest_rows_test.cpp
#include "head/insight/nearest_rows.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>

#include "tests/head/layers/sparse_matrix.hpp"

namespace headstart {
namespace {

using test::sparse;

/// Like activations after a ReLU: about half are zero.
Matrix random_rows(Eigen::Index rows, std::uint64_t seed) {
  Random random(seed);
  return test::random_features(rows, 30, 0.5, random);
}

TEST(NearestRows, AreThoseOfTheLargestCosines) {
  const Matrix queries = random_rows(4, 1);
  const Matrix rows = random_rows(50, 2);
  NearestRows nearest(sparse(queries).view(), 5);
  nearest.add(sparse(rows.topRows(20)).view(), 0);
  nearest.add(sparse(rows.bottomRows(30)).view(), 20);

  ASSERT_EQ(nearest.found().size(), 4U);
  for (Eigen::Index query = 0; query < 4; ++query) {
    std::vector<std::pair<double, RowIndex>> all;
    for (Eigen::Index row = 0; row < rows.rows(); ++row) {
      const double cosine =
          static_cast<double>(queries.row(query).normalized().dot(rows.row(row).normalized()));
      all.emplace_back(-cosine, static_cast<RowIndex>(row));
    }
    std::sort(all.begin(), all.end());
    const std::vector<NearRow>& found = nearest.found()[static_cast<std::size_t>(query)];
    ASSERT_EQ(found.size(), 5U);
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_EQ(found[i].row, all[i].second);
      EXPECT_NEAR(found[i].cosine, -all[i].first, 1e-5);
    }
  }
}

TEST(NearestRows, ARowIsNearestToItselfAtAnyLength) {
  const Matrix rows = random_rows(10, 3);
  NearestRows nearest(sparse(rows * 7.0F).view(), 1);
  nearest.add(sparse(rows).view(), 100);
  for (std::size_t i = 0; i < 10; ++i) {
    EXPECT_EQ(nearest.found()[i].front().row, 100 + static_cast<RowIndex>(i));
    EXPECT_NEAR(nearest.found()[i].front().cosine, 1.0, 1e-6);
  }
}

TEST(NearestRows, OfEquallyNearOnesTheLowerComesFirstAndZerosAreNearNothing) {
  Matrix rows = Matrix::Zero(3, 30);
  rows(1, 4) = 2.0F;
  rows(2, 4) = 3.0F;
  Matrix query = Matrix::Zero(1, 30);
  query(0, 4) = 1.0F;
  NearestRows nearest(sparse(query).view(), 8);
  nearest.add(sparse(rows).view(), 0);
  const std::vector<NearRow>& found = nearest.found().front();
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].row, 1);
  EXPECT_EQ(found[1].row, 2);
  EXPECT_EQ(found[2].row, 0);
  EXPECT_EQ(found[2].cosine, 0.0);
}

TEST(NearestRows, RefuseOtherColumns) {
  NearestRows nearest(sparse(random_rows(1, 1)).view(), 1);
  EXPECT_THROW(nearest.add(sparse(Matrix::Ones(1, 3)).view(), 0), std::invalid_argument);
}

}  // namespace
}  // namespace headstart
