// tests/head/representation/representation_test.cpp: poolings and transforms against their definitions on
// dense matrices in double.
#include "head/representation/representation.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <vector>

#include "memory/enum_names.hpp"
#include "tests/head/layers/sparse_matrix.hpp"

namespace headstart::test {
namespace {

using Doubles = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr Pooling kPoolings[] = {Pooling::kFlatten, Pooling::kAverage, Pooling::kMaximum};
constexpr Transform kTransforms[] = {Transform::kNone, Transform::kUnit, Transform::kScale,
                                     Transform::kStandardize};

Doubles dense(const SparseRowsView& rows) {
  Doubles result = Doubles::Zero(static_cast<Eigen::Index>(rows.rows()), rows.columns);
  for (Eigen::Index r = 0; r < result.rows(); ++r) {
    const auto indices = rows.row_indices(r);
    const auto values = rows.row_values(r);
    for (std::size_t i = 0; i < indices.size(); ++i) {
      EXPECT_TRUE(i == 0 || indices[i - 1] < indices[i]) << "indices ascend";
      EXPECT_NE(values[i], 0.0F) << "zeros have no entry";
      result(r, indices[i]) = static_cast<double>(values[i]);
    }
  }
  return result;
}

Doubles dense_pool(const Doubles& maps, Eigen::Index channels, Pooling pooling) {
  if (pooling == Pooling::kFlatten) return maps;
  const Eigen::Index positions = maps.cols() / channels;
  Doubles result(maps.rows(), channels);
  for (Eigen::Index r = 0; r < maps.rows(); ++r) {
    for (Eigen::Index c = 0; c < channels; ++c) {
      Eigen::VectorXd values(positions);
      for (Eigen::Index p = 0; p < positions; ++p) values(p) = maps(r, p * channels + c);
      result(r, c) = pooling == Pooling::kAverage ? values.mean() : values.maxCoeff();
    }
  }
  return result;
}

double middle(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : 0.5 * (values[half - 1] + values[half]);
}

Eigen::RowVectorXd floored(Eigen::RowVectorXd deviations) {
  std::vector<double> all(deviations.begin(), deviations.end());
  if (middle(all) == 0.0) all.erase(std::remove(all.begin(), all.end(), 0.0), all.end());
  const double least = all.empty() ? 1.0 : 0.1 * middle(all);
  return deviations.cwiseMax(least);
}

Doubles dense_transform(const Doubles& x, Transform transform, const std::vector<RowIndex>& training) {
  const Doubles of_training = x(training, Eigen::all);
  switch (transform) {
    case Transform::kNone:
      return x;
    case Transform::kUnit: {
      Doubles result = x;
      for (Eigen::Index r = 0; r < x.rows(); ++r) result.row(r) /= std::max(x.row(r).norm(), 1e-12);
      return result;
    }
    case Transform::kScale: {
      const double mean = of_training.rowwise().squaredNorm().mean();
      return mean == 0.0 ? x : Doubles(x / std::sqrt(mean));
    }
    case Transform::kStandardize: {
      const Eigen::RowVectorXd mean = of_training.colwise().mean();
      const Doubles centred = of_training.rowwise() - mean;
      const Eigen::RowVectorXd deviations =
          floored((centred.colwise().squaredNorm() / static_cast<double>(training.size())).cwiseSqrt());
      return (x.rowwise() - mean).array().rowwise() / deviations.array();
    }
  }
  return {};
}

double relative_error(const Doubles& found, const Doubles& expected) {
  if (found.rows() != expected.rows() || found.cols() != expected.cols()) return 1e9;
  const double scale = expected.norm();
  return (found - expected).norm() / (scale > 0.0 ? scale : 1.0);
}

/// Rows of maps, some of them empty, and which of them train.
struct Maps {
  std::int64_t channels;
  SparseMatrix matrix;
  std::vector<RowIndex> training;
};

Maps draw_maps() {
  Random random(*rc::gen::arbitrary<std::uint64_t>());
  const auto rows = *rc::gen::inRange<std::int64_t>(1, 12);
  const auto channels = *rc::gen::element<std::int64_t>(1, 2, 5, 16);
  const auto positions = *rc::gen::element<std::int64_t>(1, 4, 9);
  const auto density = *rc::gen::element(0.0, 0.1, 0.5, 1.0);
  Matrix features = random_features(rows, channels * positions, density, random);
  if (*rc::gen::arbitrary<bool>()) features -= random_features(rows, channels * positions, density, random);
  std::vector<RowIndex> training;
  for (RowIndex r = 0; r < rows; ++r) {
    if (r == 0 || random.uniform() < 0.7F) training.push_back(r);
  }
  return {channels, sparse(features), training};
}

TEST(RepresentationTest, NamesGoBothWays) {
  for (const Pooling pooling : kPoolings) EXPECT_EQ(parse_name<Pooling>(to_string(pooling)), pooling);
  for (const Transform transform : kTransforms)
    EXPECT_EQ(parse_name<Transform>(to_string(transform)), transform);
  EXPECT_EQ(to_string(Pooling::kAverage), "avg");
  EXPECT_EQ(to_string(Transform::kStandardize), "standardize");
  EXPECT_FALSE(parse_name<Pooling>("mean"));
  EXPECT_FALSE(parse_name<Pooling>(""));
  EXPECT_FALSE(parse_name<Transform>("Unit"));
}

TEST(RepresentationTest, PoolsAsTheDefinitionSaysOnRandomMaps) {
  EXPECT_TRUE(rc::check("pool = dense pooling in double", [] {
    const Maps maps = draw_maps();
    for (const Pooling pooling : kPoolings) {
      const SparseRows pooled = pool(maps.matrix.view(), maps.channels, pooling, 2);
      const Doubles expected = dense_pool(dense(maps.matrix.view()), maps.channels, pooling);
      RC_ASSERT(relative_error(dense(pooled.view()), expected) < 1e-7);
    }
  }));
}

TEST(RepresentationTest, TransformsAsTheDefinitionSaysOnRandomRows) {
  EXPECT_TRUE(rc::check("fit and apply = dense transform in double", [] {
    const Maps maps = draw_maps();
    const SparseRowsView rows = maps.matrix.view();
    for (const Transform transform : kTransforms) {
      const FittedTransform fitted = fit_transform(transform, rows, maps.training);
      const Doubles expected = dense_transform(dense(rows), transform, maps.training);
      SparseRows own{rows.columns, maps.matrix.indptr, maps.matrix.indices, maps.matrix.values};
      RC_ASSERT(relative_error(dense(apply(fitted, rows).view()), expected) < 1e-6);
      RC_ASSERT(relative_error(dense(apply(fitted, std::move(own)).view()), expected) < 1e-6);
    }
  }));
}

TEST(RepresentationTest, AFoldedHeadComputesOfPooledRowsWhatTheHeadComputesOfTransformedOnes) {
  EXPECT_TRUE(rc::check("folding keeps the logits", [] {
    const Maps maps = draw_maps();
    const SparseRowsView rows = maps.matrix.view();
    using Widths = std::vector<int>;
    TrainingOptions options;
    options.hidden = *rc::gen::element(Widths{}, Widths{7}, Widths{6, 4});
    const Head head = initial_head(rows.columns, 3, options);
    const std::vector<RowIndex> every = all_rows(rows.rows());
    for (const Transform transform : {Transform::kNone, Transform::kScale, Transform::kStandardize}) {
      const FittedTransform fitted = fit_transform(transform, rows, maps.training);
      const SparseRows transformed = apply(fitted, rows);
      const Doubles expected = predict_logits(head, transformed.view(), every).cast<double>();
      const Matrix found = predict_logits(fold_into_first_layer(head, fitted), rows, every);
      const double scale = 1.0 + dense(transformed.view()).norm();  // of the sums that rounding scales with
      RC_ASSERT((found.cast<double>() - expected).norm() / scale < 3e-6);
    }
  }));
}

TEST(RepresentationTest, UnitIsNotFolded) {
  Random random(1);
  const SparseMatrix matrix = sparse(random_features(3, 4, 0.8, random));
  const Head head = initial_head(4, 2, {});
  const FittedTransform fitted = fit_transform(Transform::kUnit, matrix.view(), all_rows(3));
  EXPECT_TRUE(fold_into_first_layer(head, fitted).layers == head.layers);
}

TEST(RepresentationTest, UnitRowsHaveNormOneAndARowOfZerosStays) {
  Matrix features = Matrix::Zero(3, 4);
  features.row(0) << 3.0F, 0.0F, 4.0F, 0.0F;
  features(2, 1) = 1e-15F;  // below Keras's epsilon: divided by that
  const SparseMatrix matrix = sparse(features);
  const SparseRows rows = apply(fit_transform(Transform::kUnit, matrix.view(), {}), matrix.view());
  EXPECT_EQ(rows.values, (std::vector<float>{0.6F, 0.8F, 1e-3F}));
  EXPECT_EQ(rows.indptr, (std::vector<std::int64_t>{0, 2, 2, 3}));
}

TEST(RepresentationTest, ScaledTrainingRowsHaveAMeanSquaredNormOfOne) {
  Random random(2);
  const SparseMatrix matrix = sparse(30.0F * random_features(9, 40, 0.3, random));
  const std::vector<RowIndex> training{0, 2, 3, 7};
  const SparseRows rows = apply(fit_transform(Transform::kScale, matrix.view(), training), matrix.view());
  EXPECT_NEAR(mean_squared_norm(rows.view(), training), 1.0, 1e-6);
  EXPECT_GT(std::abs(mean_squared_norm(rows.view(), all_rows(9)) - 1.0), 1e-3);
  EXPECT_EQ(rows.indices, matrix.indices);
}

TEST(RepresentationTest, OnlyTrainingRowsAreLookedAt) {
  Random random(3);
  Matrix features = random_features(6, 8, 0.7, random);
  const std::vector<RowIndex> training{0, 1, 2};
  for (const Transform transform : {Transform::kScale, Transform::kStandardize}) {
    const FittedTransform before = fit_transform(transform, sparse(features).view(), training);
    features.bottomRows(3) *= 100.0F;
    const FittedTransform after = fit_transform(transform, sparse(features).view(), training);
    EXPECT_EQ(before.scale, after.scale);
    EXPECT_EQ(before.mean, after.mean);
    EXPECT_EQ(before.inverse_deviation, after.inverse_deviation);
  }
}

TEST(RepresentationTest, DeviationsAreFlooredAtATenthOfTheirMedian) {
  Matrix features(2, 5);
  features.row(0) << 0.0F, 10.0F, 20.0F, 5.0F, 7.001F;
  features.row(1) << 2.0F, 14.0F, 26.0F, 5.0F, 7.003F;  // deviations 1, 2, 3, 0, 0.001
  const FittedTransform fitted = fit_transform(Transform::kStandardize, sparse(features).view(), all_rows(2));
  EXPECT_FLOAT_EQ(fitted.inverse_deviation(0), 1.0F);
  EXPECT_FLOAT_EQ(fitted.inverse_deviation(2), 1.0F / 3.0F);
  EXPECT_FLOAT_EQ(fitted.inverse_deviation(3), 10.0F);
  EXPECT_FLOAT_EQ(fitted.inverse_deviation(4), 10.0F);
}

TEST(RepresentationTest, WhereTheMedianDeviationIsZeroTheFeaturesThatVaryGiveTheFloor) {
  Matrix features = Matrix::Constant(3, 6, 0.1F);
  features.col(1) << 0.0F, 3.0F, 6.0F;
  features.col(4) << 0.0F, 0.0F, 1e-3F;
  const FittedTransform fitted = fit_transform(Transform::kStandardize, sparse(features).view(), all_rows(3));
  const double floor = 0.05 * (std::sqrt(6.0) + std::sqrt(2.0) / 3.0 * 1e-3);
  EXPECT_NEAR(fitted.inverse_deviation(1), 1.0 / std::sqrt(6.0), 1e-6);
  for (const Eigen::Index c : {0, 2, 3, 4, 5}) {
    EXPECT_NEAR(fitted.inverse_deviation(c) * floor, 1.0, 1e-5) << c;
  }
}

TEST(RepresentationTest, WhereNothingVariesNothingExplodes) {
  const SparseMatrix same = sparse(Matrix::Constant(3, 4, 0.3F));
  const FittedTransform one = fit_transform(Transform::kStandardize, same.view(), all_rows(3));
  EXPECT_TRUE((one.inverse_deviation.array() == 1.0F).all());
  EXPECT_TRUE(apply(one, same.view()).values.empty());
  const SparseMatrix nothing = sparse(Matrix::Zero(3, 4));
  EXPECT_EQ(fit_transform(Transform::kScale, nothing.view(), all_rows(3)).scale, 1.0F);
  EXPECT_TRUE(apply(fit_transform(Transform::kStandardize, nothing.view(), all_rows(3)), nothing.view())
                  .values.empty());
}

TEST(RepresentationTest, PoolingDoesNotDependOnTheThreadCount) {
  Random random(4);
  const SparseMatrix maps = sparse(random_features(20, 288, 0.3, random));
  for (const Pooling pooling : kPoolings) {
    const SparseRows one = pool(maps.view(), 32, pooling, 1);
    const SparseRows three = pool(maps.view(), 32, pooling, 3);
    EXPECT_EQ(one.indptr, three.indptr);
    EXPECT_EQ(one.indices, three.indices);
    EXPECT_EQ(one.values, three.values);
    EXPECT_EQ(one.columns, pooling == Pooling::kFlatten ? 288 : 32);
  }
}

TEST(RepresentationTest, WhatDoesNotFitIsRefused) {
  Random random(5);
  const SparseMatrix matrix = sparse(random_features(3, 6, 0.9, random));
  const SparseMatrix narrow = sparse(random_features(3, 5, 0.9, random));
  for (const std::int64_t channels : {-1, 0, 4, 12}) {
    EXPECT_THROW(static_cast<void>(pool(matrix.view(), channels, Pooling::kMaximum, 1)),
                 std::invalid_argument);
  }
  const std::vector<RowIndex> beyond{3};
  const std::vector<RowIndex> before{-1};
  for (const Transform transform : {Transform::kScale, Transform::kStandardize}) {
    EXPECT_THROW(static_cast<void>(fit_transform(transform, matrix.view(), {})), std::invalid_argument);
    EXPECT_THROW(static_cast<void>(fit_transform(transform, matrix.view(), beyond)), std::invalid_argument);
    EXPECT_THROW(static_cast<void>(fit_transform(transform, matrix.view(), before)), std::invalid_argument);
  }
  EXPECT_THROW(static_cast<void>(mean_squared_norm(matrix.view(), {})), std::invalid_argument);
  const FittedTransform fitted = fit_transform(Transform::kStandardize, matrix.view(), all_rows(3));
  EXPECT_THROW(static_cast<void>(apply(fitted, narrow.view())), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(fold_into_first_layer(initial_head(5, 2, {}), fitted)),
               std::invalid_argument);
  EXPECT_THROW(static_cast<void>(fold_into_first_layer({}, fitted)), std::invalid_argument);
}

}  // namespace
}  // namespace headstart::test
