// tests/head/representation/representation_gradient_test.cpp: the way back through pooling and transform
// against finite differences.
#include "head/representation/representation_gradient.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include "tests/head/layers/gradient_check.hpp"
#include "tests/head/layers/sparse_matrix.hpp"

namespace headstart::test {
namespace {

constexpr Eigen::Index kChannels = 5;
constexpr Eigen::Index kPositions = 4;
constexpr Eigen::Index kRows = 3;

class RepresentationGradient : public testing::TestWithParam<std::tuple<Pooling, Transform>> {};

TEST_P(RepresentationGradient, IsTheFiniteDifference) {
  const auto [pooling, transform] = GetParam();
  Random random(7);
  const Matrix dense = random_features(kRows, kPositions * kChannels, 0.6, random);
  const SparseMatrix maps = sparse(dense);
  const SparseRows pooled = pool(maps.view(), kChannels, pooling, 1);
  const FittedTransform fitted = fit_transform(transform, pooled.view(), all_rows(kRows));
  const SparseRows rows = apply(fitted, pooled.view());
  const Matrix weights = random_matrix(kRows, rows.columns, random);  // the loss is <weights, rows>
  const auto loss_of = [&](const SparseRowsView& of) {
    double sum = 0.0;
    for (std::size_t r = 0; r < of.rows(); ++r) {
      const auto indices = of.row_indices(r);
      const auto values = of.row_values(r);
      for (std::size_t i = 0; i < indices.size(); ++i)
        sum += static_cast<double>(weights(static_cast<Eigen::Index>(r), indices[i])) *
               static_cast<double>(values[i]);
    }
    return sum;
  };
  std::vector<float> gradient;
  const SparseRowsView view = rows.view();
  for (std::size_t r = 0; r < kRows; ++r) {
    for (const std::int32_t index : view.row_indices(r))
      gradient.push_back(weights(static_cast<Eigen::Index>(r), index));
  }
  const std::vector<float> found =
      representation_gradient(maps.view(), pooled.view(), fitted, pooling, rows.view(), gradient);
  const auto loss = [&](std::span<const double> point) {
    SparseMatrix moved = maps;
    for (std::size_t i = 0; i < point.size(); ++i) moved.values[i] = static_cast<float>(point[i]);
    return loss_of(apply(fitted, pool(moved.view(), kChannels, pooling, 1)).view());
  };
  // The functions compute in float; entries of one channel are further apart than a step.
  const GradientCheck check = check_gradient(loss, {maps.values.begin(), maps.values.end()},
                                             std::vector<double>(found.begin(), found.end()), 1e-3);
  EXPECT_LT(check.worst_error, 2e-3) << check;
  EXPECT_GT(check.largest, 0.05);
}

INSTANTIATE_TEST_SUITE_P(All, RepresentationGradient,
                         testing::Combine(testing::Values(Pooling::kFlatten, Pooling::kAverage,
                                                          Pooling::kMaximum),
                                          testing::Values(Transform::kNone, Transform::kUnit,
                                                          Transform::kScale, Transform::kStandardize)),
                         [](const auto& param) {
                           return std::string(to_string(std::get<0>(param.param))) + "_" +
                                  std::string(to_string(std::get<1>(param.param)));
                         });

TEST(RepresentationGradientTest, OfEqualMaximaTheFirstGetsAll) {
  Matrix dense(1, 4);
  dense << 1.0F, 2.0F, 2.0F, 1.0F;  // four positions of one channel
  const SparseMatrix maps = sparse(dense);
  const SparseRows pooled = pool(maps.view(), 1, Pooling::kMaximum, 1);
  const std::vector<float> one{3.0F};
  EXPECT_EQ(representation_gradient(maps.view(), pooled.view(), {}, Pooling::kMaximum, pooled.view(), one),
            (std::vector<float>{0.0F, 3.0F, 0.0F, 0.0F}));
}

TEST(RepresentationGradientTest, ARowOfZerosHasNone) {
  const SparseMatrix maps = sparse(Matrix::Zero(2, 6));
  const SparseRows pooled = pool(maps.view(), 3, Pooling::kAverage, 1);
  const FittedTransform unit{Transform::kUnit, 1.0F, {}, {}};
  EXPECT_TRUE(representation_gradient(maps.view(), pooled.view(), unit, Pooling::kAverage, pooled.view(), {})
                  .empty());
}

TEST(RepresentationGradientTest, RefusesAGradientOfOtherRows) {
  const SparseMatrix maps = sparse(Matrix::Ones(2, 6));
  const std::vector<float> few(5);
  EXPECT_THROW(static_cast<void>(representation_gradient(maps.view(), maps.view(), {}, Pooling::kFlatten,
                                                         maps.view(), few)),
               std::invalid_argument);
}

TEST(UnfoldTest, TakesBackWhatWasFolded) {
  Random random(9);
  const SparseMatrix rows = sparse(random_features(20, 6, 0.7, random));
  for (const Transform transform : {Transform::kNone, Transform::kScale, Transform::kStandardize}) {
    const FittedTransform fitted = fit_transform(transform, rows.view(), all_rows(20));
    const Head head{{{random_matrix(6, 3, random), random_matrix(1, 3, random)}}};
    const Head back = unfold_from_first_layer(fold_into_first_layer(head, fitted), fitted);
    EXPECT_LT((back.layers[0].kernel - head.layers[0].kernel).norm(), 1e-6 * head.layers[0].kernel.norm());
    EXPECT_LT((back.layers[0].bias - head.layers[0].bias).norm(), 1e-5);
  }
}

}  // namespace
}  // namespace headstart::test
