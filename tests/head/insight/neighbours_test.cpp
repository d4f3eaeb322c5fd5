// tests/head/insight/neighbours_test.cpp: blocks and the index against sorting all cosines of each row.
#include "head/insight/neighbours.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <numeric>

#include "head/row_blocks.hpp"
#include "tests/head/layers/sparse_matrix.hpp"

namespace headstart {
namespace {

/// Rows of length one around `centres` directions.
Matrix unit_rows(Eigen::Index rows, Eigen::Index columns, Eigen::Index centres) {
  Random random(6);
  const Matrix centre = test::random_matrix(centres, columns, random);
  Matrix result = 0.5F * test::random_matrix(rows, columns, random);
  for (Eigen::Index row = 0; row < rows; ++row) result.row(row) += centre.row(row % centres);
  scale_to_unit_length(result);
  return result;
}

/// The rows by falling cosine to `row`.
std::vector<RowIndex> by_cosine(const Matrix& cosines, Eigen::Index row) {
  std::vector<RowIndex> order = test::all_rows(static_cast<std::size_t>(cosines.rows()));
  order.erase(order.begin() + row);
  std::stable_sort(order.begin(), order.end(),
                   [&](RowIndex a, RowIndex b) { return cosines(row, a) > cosines(row, b); });
  return order;
}

TEST(NearestNeighbours, AreThoseOfTheLargestCosines) {
  const Matrix rows = unit_rows(1500, 24, 5);  // more than one block of queries and of candidates
  const Matrix cosines = rows * rows.transpose();
  const Neighbours found = nearest_neighbours(rows, {.most = 6, .threads = 2});
  EXPECT_FALSE(found.recall.has_value());
  ASSERT_EQ(found.rows.size(), 1500U * 6U);
  for (Eigen::Index row = 0; row < 1500; ++row) {
    const std::vector<RowIndex> expected = by_cosine(cosines, row);
    for (std::size_t i = 0; i < 6; ++i) {
      const std::size_t at = static_cast<std::size_t>(row) * 6 + i;
      // Rounding may exchange two neighbours that are equally near to seven digits.
      EXPECT_NEAR(found.cosines[at], cosines(row, expected[i]), 1e-6F) << row;
      EXPECT_NEAR(cosines(row, found.rows[at]), cosines(row, expected[i]), 1e-6F) << row;
    }
  }
  EXPECT_EQ(nearest_neighbours(rows, {.most = 6, .threads = 1}).rows, found.rows);
}

TEST(NearestNeighbours, OfEquallyNearOnesTheLowerComesFirstAndNoRowIsItsOwn) {
  Matrix rows = Matrix::Zero(40, 3);
  rows.col(1).setOnes();
  rows.row(39).setZero();
  const Neighbours found = nearest_neighbours(rows, {.most = 3});
  EXPECT_EQ(std::vector<RowIndex>(found.rows.begin(), found.rows.begin() + 6),
            (std::vector<RowIndex>{1, 2, 3, 0, 2, 3}));
  EXPECT_EQ(found.cosines[38 * 3], 1.0F);
  EXPECT_EQ(found.cosines[39 * 3], 0.0F);
}

TEST(NearestNeighbours, OfFewRowsAreAllOthers) {
  EXPECT_EQ(nearest_neighbours(unit_rows(4, 3, 2), {.most = 10}).most, 3U);
  EXPECT_EQ(nearest_neighbours(unit_rows(1, 3, 1), {.most = 10}).most, 0U);
}

TEST(NearestNeighbours, AnIndexFindsMostOfThemAndSaysHowMany) {
  const Matrix rows = unit_rows(6000, 16, 40);
  const Neighbours truth = nearest_neighbours(rows, {.threads = 2});
  const Neighbours found = nearest_neighbours(rows, {.threads = 2, .compare_all = 0});
  std::size_t hits = 0;
  for (std::size_t at = 0; at < found.rows.size(); ++at) {
    const auto list = truth.rows.begin() + static_cast<std::ptrdiff_t>(at / 10 * 10);
    if (std::find(list, list + 10, found.rows[at]) != list + 10) ++hits;
  }
  const double share = static_cast<double>(hits) / static_cast<double>(found.rows.size());
  EXPECT_GT(share, 0.95);
  ASSERT_TRUE(found.recall.has_value());
  EXPECT_NEAR(*found.recall, share, 0.02);  // a sample of 500 rows
  const Neighbours again = nearest_neighbours(rows, {.threads = 1, .compare_all = 0});
  EXPECT_EQ(again.rows, found.rows);
  EXPECT_EQ(again.recall, found.recall);
}

TEST(NearestNeighbours, TellHowFarTheyAreAndStopWhenAsked) {
  const Matrix rows = unit_rows(3000, 8, 3);
  for (const std::size_t compare_all : {std::size_t{0}, kMostComparedRows}) {
    std::atomic<std::size_t> most{0};
    std::atomic<std::size_t> last_total{0};
    NeighbourSearch search{.threads = 1, .compare_all = compare_all};
    search.progress = [&](std::size_t done, std::size_t total) {
      EXPECT_LE(done, total);
      most = std::max(most.load(), done);
      last_total = total;
    };
    static_cast<void>(nearest_neighbours(rows, search));
    EXPECT_EQ(most, last_total);
    search.cancellation = Cancellation([] { return true; });
    EXPECT_THROW(static_cast<void>(nearest_neighbours(rows, search)), Cancelled);
  }
}

}  // namespace
}  // namespace headstart
