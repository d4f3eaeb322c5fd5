// tests/pipeline/options/training_options_test.cpp
#include "pipeline/options/training_options.hpp"

#include <gtest/gtest.h>

namespace headstart {
namespace {

TEST(SearchBudget, IsSecondsATimeOrAShareOfTheConfigurations) {
  EXPECT_EQ(parse_search_budget("90")->seconds, 90.0);
  EXPECT_EQ(parse_search_budget("1.5")->seconds, 1.5);
  EXPECT_EQ(parse_search_budget("10m")->seconds, 600.0);
  EXPECT_EQ(parse_search_budget("25%")->share, 0.25);
  EXPECT_EQ(parse_search_budget("100%")->share, 1.0);
  EXPECT_FALSE(parse_search_budget("25%")->seconds.has_value());
  for (const char* const text :
       {"", "0", "0%", "-1", "101%", "nan", "inf", "1e999", "5 m", "%", "many", "3x"})
    EXPECT_FALSE(parse_search_budget(text).has_value()) << text;
}

TEST(SearchBudget, ItsTextGivesItBack) {
  for (const char* const text : {"90", "12.5%", "0.25"})
    EXPECT_EQ(to_string(*parse_search_budget(text)), text);
  EXPECT_EQ(to_string(*parse_search_budget("2h")), "7200");
  EXPECT_EQ(to_string(SearchBudget{}), "");
}

}  // namespace
}  // namespace headstart
