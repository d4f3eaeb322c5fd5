// tests/pipeline/report/chart_test.cpp
#include "pipeline/report/chart.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

namespace headstart {
namespace {

std::size_t count(const std::string& text, const std::string& needle) {
  std::size_t found = 0;
  for (auto at = text.find(needle); at != std::string::npos; at = text.find(needle, at + 1)) ++found;
  return found;
}

TEST(RoundStep, IsOneTwoOrFiveTimesAPowerOfTen) {
  EXPECT_DOUBLE_EQ(round_step(1.0, 5), 0.2);
  EXPECT_DOUBLE_EQ(round_step(9.0, 5), 2.0);
  EXPECT_DOUBLE_EQ(round_step(100.0, 10), 10.0);
  EXPECT_DOUBLE_EQ(round_step(0.07, 5), 0.02);
}

TEST(LineChart, DrawsOnePointForEachFiniteValue) {
  const double infinity = std::numeric_limits<double>::infinity();
  const std::string svg =
      line_chart("Loss", "epoch", {{"training", "first", {1.0, std::nullopt, infinity, 0.5}}}, true);
  EXPECT_EQ(count(svg, "<circle"), 2U);
  EXPECT_EQ(svg.find("nan"), std::string::npos);
  EXPECT_EQ(svg.find("inf"), std::string::npos);
}

TEST(LineChart, SurvivesNoValuesOneValueAndEqualValues) {
  for (const auto& values :
       std::vector<std::vector<std::optional<double>>>{{}, {3.0}, {2.0, 2.0, 2.0}, {std::nullopt}}) {
    const std::string svg = line_chart("t", "x", {{"a", "first", values}}, false);
    EXPECT_EQ(svg.find("nan"), std::string::npos);
    EXPECT_NE(svg.find("</svg>"), std::string::npos);
  }
}

TEST(LineChart, EscapesItsTexts) {
  const std::string svg = line_chart("a<b", "x", {{"<script>", "first", {1.0}}}, false);
  EXPECT_EQ(svg.find("<script>"), std::string::npos);
  EXPECT_NE(svg.find("a&lt;b"), std::string::npos);
}

TEST(ReliabilityChart, DrawsABarForEachBinWithRows) {
  std::vector<CalibrationBin> bins(kCalibrationBins);
  bins[3] = {2, 0.23, 0.5};
  bins[14] = {40, 0.99, 0.75};
  const std::string svg = reliability_chart("Reliability", bins);
  EXPECT_EQ(count(svg, "<rect class=\"first\""), 2U);
  EXPECT_NE(svg.find("40 predictions of confidence 0.93 to 1.00, 0.990 on average: 75.0 % right"),
            std::string::npos);
  EXPECT_EQ(count(reliability_chart("none", std::vector<CalibrationBin>(kCalibrationBins)), "<rect"), 0U);
}

TEST(StripChart, DrawsFinitePointsOverTheirCategories) {
  const double infinity = std::numeric_limits<double>::infinity();
  const std::string svg = strip_chart(
      "t", {"a<", "b"}, {{0, 0.5, "first", "p"}, {1, 0.7, "second", "q"}, {1, infinity, "faint", "r"}});
  EXPECT_EQ(count(svg, "<circle"), 2U);
  EXPECT_NE(svg.find("a&lt;"), std::string::npos);
  EXPECT_EQ(svg.find("inf"), std::string::npos);
  EXPECT_NE(strip_chart("t", {}, {}).find("</svg>"), std::string::npos);
}

}  // namespace
}  // namespace headstart
