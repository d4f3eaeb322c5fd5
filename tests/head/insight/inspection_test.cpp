// tests/head/insight/inspection_test.cpp: small sets in the plane, whose angles are known.
#include "head/insight/inspection.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <stdexcept>
#include <vector>

#include "head/random.hpp"
#include "tests/head/layers/sparse_matrix.hpp"

namespace headstart::test {
namespace {

/// K of vectors at `degrees`, with lengths 1, 2, 3, ...: no cosine depends on them.
Matrix kernel_of_angles(const std::vector<double>& degrees) {
  Matrix x(static_cast<Eigen::Index>(degrees.size()), 2);
  for (std::size_t i = 0; i < degrees.size(); ++i) {
    const double angle = degrees[i] * std::numbers::pi / 180.0;
    const auto row = static_cast<Eigen::Index>(i);
    const double length = 1.0 + static_cast<double>(i);
    x(row, 0) = static_cast<float>(length * std::cos(angle));
    x(row, 1) = static_cast<float>(length * std::sin(angle));
  }
  return x * x.transpose();
}

double cosine_of(double degrees) { return std::cos(degrees * std::numbers::pi / 180.0); }

TEST(NearDuplicates, AreThePairsAboveTheThresholdTheClosestFirst) {
  const NearDuplicates found = near_duplicates(kernel_of_angles({0, 90, 15, 100, 16}));
  // cos(18.2 degrees) = 0.95: 2 and 4 are 1 degree apart, 1 and 3 ten, 0 and 2 fifteen, 0 and 4 sixteen.
  ASSERT_EQ(found.pairs.size(), 4U);
  EXPECT_EQ(found.total, 4U);
  const std::vector<std::tuple<RowIndex, RowIndex, double>> expected{
      {2, 4, 1}, {1, 3, 10}, {0, 2, 15}, {0, 4, 16}};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(found.pairs[i].first, std::get<0>(expected[i])) << i;
    EXPECT_EQ(found.pairs[i].second, std::get<1>(expected[i])) << i;
    EXPECT_NEAR(found.pairs[i].cosine, cosine_of(std::get<2>(expected[i])), 1e-6) << i;
  }
  EXPECT_EQ(near_duplicates(kernel_of_angles({0, 90, 15, 100, 16}), 0.98).pairs.size(), 2U);
}

TEST(NearDuplicates, KeepsTheClosestOfTooMany) {
  std::vector<double> angles(30);
  for (std::size_t i = 0; i < 30; ++i)
    angles[i] = 0.01 * static_cast<double>(i * i);  // no two gaps are equal; all within 9 degrees
  const NearDuplicates all = near_duplicates(kernel_of_angles(angles));
  EXPECT_EQ(all.pairs.size(), 435U);
  const NearDuplicates few = near_duplicates(kernel_of_angles(angles), 0.95, 7);
  EXPECT_EQ(few.total, 435U);
  ASSERT_EQ(few.pairs.size(), 7U);
  for (std::size_t i = 0; i < 7; ++i) {
    EXPECT_EQ(few.pairs[i].first, all.pairs[i].first);
    EXPECT_EQ(few.pairs[i].second, all.pairs[i].second);
  }
}

TEST(NearDuplicates, ARowOfZerosIsNobodysCopy) {
  EXPECT_TRUE(near_duplicates(Matrix::Zero(3, 3)).pairs.empty());
  Matrix kernel = Matrix::Zero(3, 3);
  kernel.topLeftCorner(2, 2).setConstant(4.0F);
  const NearDuplicates found = near_duplicates(kernel);
  ASSERT_EQ(found.pairs.size(), 1U);
  EXPECT_EQ(found.pairs[0].cosine, 1.0);
}

/// Rows of the plane at length one.
Matrix unit_rows_of_angles(const std::vector<double>& degrees) {
  Matrix x(static_cast<Eigen::Index>(degrees.size()), 2);
  for (std::size_t i = 0; i < degrees.size(); ++i) {
    const double angle = degrees[i] * std::numbers::pi / 180.0;
    x.row(static_cast<Eigen::Index>(i)) << static_cast<float>(std::cos(angle)),
        static_cast<float>(std::sin(angle));
  }
  return x;
}

TEST(NearDuplicates, OfNeighboursAreThoseOfTheKernel) {
  Random random(8);
  std::vector<double> angles(50);
  for (double& angle : angles) angle = 360.0 * static_cast<double>(random.uniform());
  const Neighbours lists = nearest_neighbours(unit_rows_of_angles(angles), {.most = 49});
  const NearDuplicates found = near_duplicates(lists);
  const NearDuplicates expected = near_duplicates(kernel_of_angles(angles));
  EXPECT_EQ(found.total, expected.total);
  ASSERT_EQ(found.pairs.size(), expected.pairs.size());
  ASSERT_GT(found.pairs.size(), 20U);
  for (std::size_t i = 0; i < found.pairs.size(); ++i)
    EXPECT_NEAR(found.pairs[i].cosine, expected.pairs[i].cosine, 1e-6);
  const NearDuplicates few = near_duplicates(lists, 0.95, 5);
  EXPECT_EQ(few.total, expected.total);
  EXPECT_EQ(few.pairs.size(), 5U);
  // Short lists have fewer pairs, each of them once and among those of the kernel.
  const NearDuplicates of_short =
      near_duplicates(nearest_neighbours(unit_rows_of_angles(angles), {.most = 2}));
  EXPECT_LT(of_short.total, expected.total);
  for (std::size_t i = 0; i < of_short.pairs.size(); ++i) {
    EXPECT_LT(of_short.pairs[i].first, of_short.pairs[i].second);
    EXPECT_GT(of_short.pairs[i].cosine, 0.95);
    for (std::size_t j = 0; j < i; ++j) {
      EXPECT_FALSE(of_short.pairs[i].first == of_short.pairs[j].first &&
                   of_short.pairs[i].second == of_short.pairs[j].second);
    }
  }
}

TEST(GroupsOfCopies, JoinPairsAndKnownGroupsButNoLongChains) {
  const std::vector<NearDuplicate> pairs{{0, 1, 0.99}, {1, 2, 0.98}, {4, 5, 0.97}, {2, 3, 0.96}};
  const std::vector<std::int32_t> none(8, -1);
  EXPECT_EQ(groups_of_copies(pairs, none), (std::vector<std::int32_t>{0, 0, 0, 0, 4, 4, -1, -1}));
  EXPECT_EQ(groups_of_copies(pairs, none, 3), (std::vector<std::int32_t>{0, 0, 0, -1, 4, 4, -1, -1}));
  const std::vector<std::int32_t> known{-1, -1, -1, -1, 9, -1, 9, 3};
  EXPECT_EQ(groups_of_copies(pairs, known), (std::vector<std::int32_t>{0, 0, 0, 0, 4, 4, 4, -1}));
  EXPECT_EQ(groups_of_copies({}, std::vector<std::int32_t>(5, 2), 2), std::vector<std::int32_t>(5, 0));
}

TEST(Outliers, OfNeighboursAreThoseOfTheKernel) {
  const std::vector<double> angles{0, 1, 2, 3, 60, 7, 9};
  const Outliers expected = outliers(kernel_of_angles(angles), 3);
  const Outliers found = outliers(nearest_neighbours(unit_rows_of_angles(angles), {.most = 3}));
  ASSERT_EQ(found.rows.size(), expected.rows.size());
  EXPECT_EQ(found.rows[0].row, 4);
  EXPECT_NEAR(found.rows[0].distance, expected.rows[0].distance, 1e-6);
  EXPECT_NEAR(found.median, expected.median, 1e-6);
  EXPECT_NEAR(found.absolute_deviation, expected.absolute_deviation, 1e-6);
  EXPECT_THROW(static_cast<void>(outliers(Neighbours{})), std::invalid_argument);
}

TEST(Separability, OfRowsIsThatOfTheKernel) {
  Random random(9);
  Matrix rows = random_matrix(400, 12, random);
  rows.row(17).setZero();
  std::vector<std::int32_t> labels;
  Matrix probabilities = Matrix::Zero(400, 5);  // class 4 has one row, class 3 none
  for (Eigen::Index row = 0; row < 400; ++row) {
    labels.push_back(row == 5 ? 4 : static_cast<std::int32_t>(random.below(3)));
    rows(row, labels.back()) += 1.0F;
    probabilities(row, static_cast<Eigen::Index>(random.below(5))) = 1.0F;
  }
  const Separability expected = separability(rows * rows.transpose(), labels, probabilities);
  scale_to_unit_length(rows);
  Workers workers(2);
  const Separability found = separability(blocks_of(rows), labels, probabilities, workers);
  ASSERT_EQ(found.classes.size(), expected.classes.size());
  for (std::size_t c = 0; c < found.classes.size(); ++c) {
    EXPECT_EQ(found.classes[c].rows, expected.classes[c].rows);
    EXPECT_EQ(found.classes[c].within.has_value(), expected.classes[c].within.has_value());
    EXPECT_NEAR(found.classes[c].within.value_or(0.0), expected.classes[c].within.value_or(0.0), 1e-6);
    EXPECT_EQ(found.classes[c].nearest, expected.classes[c].nearest);
    EXPECT_NEAR(found.classes[c].to_nearest, expected.classes[c].to_nearest, 1e-6);
    EXPECT_NEAR(found.classes[c].silhouette, expected.classes[c].silhouette, 1e-5);
  }
  ASSERT_EQ(found.pairs.size(), expected.pairs.size());
  for (std::size_t i = 0; i < found.pairs.size(); ++i)
    EXPECT_EQ(found.pairs[i].mistakes, expected.pairs[i].mistakes);
}

TEST(Separability, SilhouettesAreThoseOfScikitLearn) {
  // silhouette_samples(x, labels, metric="cosine") of scikit-learn 1.9.1, the mean of each class, on
  // x_ij = (i^2 (j + 2) + 3 i j) mod 11. Rows 0 and 11 are zeros.
  Matrix rows(12, 4);
  std::vector<std::int32_t> labels;
  for (Eigen::Index i = 0; i < 12; ++i) {
    for (Eigen::Index j = 0; j < 4; ++j) rows(i, j) = static_cast<float>((i * i * (j + 2) + 3 * i * j) % 11);
    labels.push_back(static_cast<std::int32_t>((2 * i + i / 5) % 3));
  }
  const Matrix probabilities = Matrix::Constant(12, 3, 1.0F / 3.0F);
  const Separability of_kernel = separability(rows * rows.transpose(), labels, probabilities);
  scale_to_unit_length(rows);
  Workers workers(1);
  const Separability of_rows = separability(blocks_of(rows), labels, probabilities, workers);
  const std::vector<double> expected{-0.391995, -0.105529, -0.304116};
  for (std::size_t c = 0; c < 3; ++c) {
    EXPECT_NEAR(of_kernel.classes[c].silhouette, expected[c], 1e-6);
    EXPECT_NEAR(of_rows.classes[c].silhouette, expected[c], 1e-6);
  }
}

TEST(SuspectLabels, AreRankedByTheMarginToTheBestOtherClass) {
  Matrix probabilities(5, 3);
  probabilities << 0.7F, 0.2F, 0.1F,  // label 0: fine
      0.3F, 0.35F, 0.35F,             // label 0: unclear
      0.3F, 0.7F, 0.0F,               // label 0: the same confidence, but clearly a 1
      0.5F, 0.1F, 0.4F,               // label 2
      0.5F, 0.5F, 0.0F;               // label 1: a tie is no evidence
  const std::vector<std::int32_t> labels{0, 0, 0, 2, 1};
  const std::vector<SuspectLabel> found = suspect_labels(probabilities, labels);
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].row, 2);
  EXPECT_EQ(found[0].label, 0);
  EXPECT_EQ(found[0].suggested, 1);
  EXPECT_FLOAT_EQ(static_cast<float>(found[0].self_confidence), 0.3F);
  EXPECT_NEAR(found[0].normalized_margin, -0.4, 1e-6);
  EXPECT_EQ(found[1].row, 3);
  EXPECT_EQ(found[1].suggested, 0);
  EXPECT_EQ(found[2].row, 1);
  EXPECT_EQ(found[2].suggested, 1);  // the first of the two
}

TEST(SuspectLabels, ASingleClassHasNone) {
  EXPECT_TRUE(suspect_labels(Matrix::Ones(2, 1), std::vector<std::int32_t>{0, 0}).empty());
}

TEST(Outliers, RanksRowsByTheMeanDistanceToTheirNearest) {
  const Outliers found = outliers(kernel_of_angles({0, 1, 2, 3, 60}), 2);
  ASSERT_EQ(found.rows.size(), 5U);
  EXPECT_EQ(found.rows[0].row, 4);
  EXPECT_NEAR(found.rows[0].distance, 1.0 - 0.5 * (cosine_of(57) + cosine_of(58)), 1e-6);
  // Rows 1 and 2 have neighbours at 1 and 1 degrees, 0 and 3 at 1 and 2 degrees: that is the median.
  const double inner = 1.0 - cosine_of(1);
  const double outer = 1.0 - 0.5 * (cosine_of(1) + cosine_of(2));
  EXPECT_NEAR(found.median, outer, 1e-6);
  EXPECT_NEAR(found.absolute_deviation, outer - inner, 1e-6);
  EXPECT_GT(found.rows[0].score, 100.0);
  EXPECT_NEAR(found.rows[4].distance, inner, 1e-6);
}

TEST(Outliers, TakesAllOthersWhereThereAreFewer) {
  const Outliers found = outliers(kernel_of_angles({0, 30, 60}), 10);
  EXPECT_NEAR(found.rows.back().distance, 1.0 - cosine_of(30), 1e-6);
  EXPECT_EQ(found.rows.back().row, 1);
  const Outliers one = outliers(Matrix::Ones(1, 1));
  ASSERT_EQ(one.rows.size(), 1U);
  EXPECT_EQ(one.rows[0].score, 0.0);
}

TEST(Outliers, ScoresFollowTheMedianAbsoluteDeviation) {
  Random random(3);
  const Matrix x = random_features(41, 6, 0.8, random);
  const Outliers found = outliers(x * x.transpose(), 5);
  EXPECT_NEAR(found.rows[20].distance, found.median, 1e-15);  // 41 rows: the middle one
  for (const Outlier& row : found.rows) {
    EXPECT_NEAR(row.score, (row.distance - found.median) / (1.4826 * found.absolute_deviation), 1e-9);
    EXPECT_EQ(row.score >= 1.0 / 1.4826,
              row.distance - found.median >= found.absolute_deviation * (1 - 1e-12));
  }
}

TEST(Separability, IsKnownForClassesInThePlane) {
  // Class 0 at 0 and 10 degrees, class 1 at 20 and 40, class 2 alone at 90, class 3 without rows.
  const std::vector<std::int32_t> labels{0, 0, 1, 1, 2};
  Matrix probabilities = Matrix::Zero(5, 4);
  probabilities(0, 0) = 1.0F;
  probabilities(1, 1) = 1.0F;  // a mistake
  probabilities(2, 0) = 1.0F;  // a mistake
  probabilities(3, 1) = 1.0F;
  probabilities(4, 1) = 1.0F;  // a mistake
  const Separability found = separability(kernel_of_angles({0, 10, 20, 40, 90}), labels, probabilities);
  ASSERT_EQ(found.classes.size(), 4U);
  const double between = (cosine_of(20) + cosine_of(40) + cosine_of(10) + cosine_of(30)) / 4.0;
  EXPECT_EQ(found.classes[0].rows, 2U);
  EXPECT_NEAR(found.classes[0].within.value(), cosine_of(10), 1e-6);
  EXPECT_EQ(found.classes[0].nearest, 1);
  EXPECT_NEAR(found.classes[0].to_nearest, between, 1e-6);
  const auto silhouette = [](double a, double b) { return (b - a) / std::max(a, b); };
  const double own = 1.0 - cosine_of(10);
  EXPECT_NEAR(found.classes[0].silhouette,
              0.5 * (silhouette(own, 1.0 - 0.5 * (cosine_of(20) + cosine_of(40))) +
                     silhouette(own, 1.0 - 0.5 * (cosine_of(10) + cosine_of(30)))),
              1e-5);
  EXPECT_FALSE(found.classes[2].within.has_value());
  EXPECT_EQ(found.classes[2].nearest, 1);
  EXPECT_EQ(found.classes[2].silhouette, 0.0);
  EXPECT_EQ(found.classes[3].rows, 0U);
  EXPECT_FALSE(found.classes[3].nearest.has_value());

  ASSERT_EQ(found.pairs.size(), 3U);  // the most mistakes first
  EXPECT_EQ(found.pairs[0].first, 0);
  EXPECT_EQ(found.pairs[0].second, 1);
  EXPECT_EQ(found.pairs[0].mistakes, 2U);
  EXPECT_NEAR(found.pairs[0].cosine, between, 1e-6);
  EXPECT_EQ(found.pairs[1].first, 1);
  EXPECT_EQ(found.pairs[1].second, 2);
  EXPECT_EQ(found.pairs[1].mistakes, 1U);
  EXPECT_EQ(found.pairs[2].mistakes, 0U);
}

TEST(Separability, ClassesThatOverlapHaveALowSilhouette) {
  const std::vector<double> apart{0, 1, 2, 80, 81, 82};
  const std::vector<std::int32_t> right{0, 0, 0, 1, 1, 1};
  const std::vector<std::int32_t> mixed{0, 1, 0, 1, 0, 1};
  const Matrix probabilities = Matrix::Constant(6, 2, 0.5F);
  EXPECT_GT(separability(kernel_of_angles(apart), right, probabilities).classes[0].silhouette, 0.99);
  EXPECT_LT(separability(kernel_of_angles(apart), mixed, probabilities).classes[0].silhouette, 0.0);
}

TEST(Inspection, RefusesWhatItCannotRead) {
  Matrix broken = Matrix::Identity(3, 3);
  broken(0, 1) = std::numeric_limits<float>::quiet_NaN();
  const std::vector<std::int32_t> labels{0, 1, 2};
  const Matrix identity = Matrix::Identity(3, 3);
  EXPECT_THROW(static_cast<void>(near_duplicates(Matrix::Ones(2, 3))), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(near_duplicates(broken)), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(outliers(Matrix(0, 0))), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(suspect_labels(identity, std::vector<std::int32_t>{0, 1})),
               std::invalid_argument);
  EXPECT_THROW(static_cast<void>(suspect_labels(identity, std::vector<std::int32_t>{0, 1, 3})),
               std::invalid_argument);
  EXPECT_THROW(static_cast<void>(suspect_labels(broken, labels)), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(separability(Matrix::Identity(4, 4), labels, identity)),
               std::invalid_argument);
}

}  // namespace
}  // namespace headstart::test
