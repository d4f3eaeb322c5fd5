// tests/pipeline/report/metrics_json_test.cpp: a split as JSON and as a line of the table. What scikit-learn
// makes of the same predictions: tests/interop.
#include "pipeline/report/metrics_json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace headstart {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::ordered_json;

/// Labels 0 0 1 2, predicted as 0 2 1 2.
SplitMetrics four_rows() {
  Matrix probabilities(4, 3);
  probabilities << 0.7F, 0.2F, 0.1F, 0.1F, 0.2F, 0.7F, 0.1F, 0.8F, 0.1F, 0.2F, 0.2F, 0.6F;
  return {evaluate(probabilities, std::vector<std::int32_t>{0, 0, 1, 2}), 0.25};
}

TEST(MetricsJson, TheConfusionMatrixIsItsPairsThatHaveImages) {
  const Json json = to_json(four_rows(), {"cat", "dog", "owl"});
  EXPECT_EQ(json["confusion"], Json::parse(R"({"label": [0, 0, 1, 2], "predicted": [0, 2, 1, 2],
                                               "images": [1, 1, 1, 1]})"));
  EXPECT_DOUBLE_EQ(json["accuracy"].get<double>(), 0.75);
  EXPECT_DOUBLE_EQ(json["balanced_accuracy"].get<double>(), 2.5 / 3.0);
}

TEST(MetricsJson, OfAThousandClassesIsSmall) {
  constexpr int kClasses = 1000;
  std::vector<std::string> classes;
  std::vector<std::int32_t> labels;
  Matrix probabilities = Matrix::Zero(4 * kClasses, kClasses);
  for (int row = 0; row < 4 * kClasses; ++row) {
    labels.push_back(row % kClasses);
    probabilities(row, (row * 7) % kClasses) = 1.0F;
  }
  for (int c = 0; c < kClasses; ++c) classes.push_back("class " + std::to_string(c));
  // Of these 300 kB the classes' own numbers are most.
  EXPECT_LT(to_json({evaluate(probabilities, labels), 0.0}, classes).dump(2).size(), 500'000U);
}

TEST(MetricsTable, HasTheBalancedAccuracyBesideTheAccuracy) {
  const SplitMetrics split = four_rows();
  const std::string table = metrics_table({{"validation", &split}});
  EXPECT_THAT(table, HasSubstr("accuracy  balanced"));
  EXPECT_THAT(table, HasSubstr("0.7500    0.8333"));
}

}  // namespace
}  // namespace headstart
