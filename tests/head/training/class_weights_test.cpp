// tests/head/training/class_weights_test.cpp
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "head/training/trainer.hpp"

namespace headstart::test {
namespace {

const std::vector<std::int32_t> kLabels{0, 0, 0, 1, 2, 2, 0, 1};

TEST(BalancedClassWeights, GivesEveryClassTheSameTotal) {
  const std::vector<RowIndex> rows{0, 1, 2, 3, 4, 5};  // 3, 1 and 2 rows
  const std::vector<float> weights = balanced_class_weights(kLabels, rows, 3);
  ASSERT_EQ(weights.size(), 3U);
  EXPECT_FLOAT_EQ(weights[0], 6.0F / (3.0F * 3.0F));
  EXPECT_FLOAT_EQ(weights[1], 6.0F / (3.0F * 1.0F));
  EXPECT_FLOAT_EQ(weights[2], 6.0F / (3.0F * 2.0F));
}

TEST(BalancedClassWeights, RefusesAClassWithoutRowsByItsNumber) {
  const std::vector<RowIndex> rows{0, 3};
  try {
    static_cast<void>(balanced_class_weights(kLabels, rows, 3));
    FAIL() << "class 2 has no row";
  } catch (const std::invalid_argument& error) {
    EXPECT_NE(std::string(error.what()).find("class 2"), std::string::npos) << error.what();
  }
}

TEST(BalancedClassWeights, RefusesRowsAndLabelsOutOfRange) {
  const std::vector<RowIndex> beyond{0, 8};
  const std::vector<RowIndex> all{0, 3, 4};
  EXPECT_THROW(static_cast<void>(balanced_class_weights(kLabels, beyond, 3)), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(balanced_class_weights(kLabels, all, 2)), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(balanced_class_weights(kLabels, all, 0)), std::invalid_argument);
}

}  // namespace
}  // namespace headstart::test
