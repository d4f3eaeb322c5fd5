// tests/pipeline/chart_test.cpp
#include "pipeline/chart.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

namespace headstart {
namespace {

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
  const auto count = [&](const std::string& needle) {
    std::size_t found = 0;
    for (auto at = svg.find(needle); at != std::string::npos; at = svg.find(needle, at + 1)) ++found;
    return found;
  };
  EXPECT_EQ(count("<circle"), 2U);
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

}  // namespace
}  // namespace headstart
