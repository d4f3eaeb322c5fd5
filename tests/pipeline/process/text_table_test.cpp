// tests/pipeline/process/text_table_test.cpp
#include "pipeline/process/text_table.hpp"

#include <gtest/gtest.h>

namespace headstart {
namespace {

TEST(TextTable, PadsTheFirstColumnOnTheRightAndTheOthersOnTheLeft) {
  EXPECT_EQ(text_table({{"class", "images"}, {"cat", "7"}, {"elephant", "1234567"}}),
            "class      images\n"
            "cat             7\n"
            "elephant  1234567\n");
}

TEST(TextTable, CountsCodePointsNotBytes) {
  EXPECT_EQ(text_table({{"Bäume", "1"}, {"trees", "2"}}), "Bäume  1\ntrees  2\n");
}

TEST(TextTable, LeavesNoBlanksAtTheEndOfALine) {
  EXPECT_EQ(text_table({{"a", "long"}, {"b", ""}}), "a  long\nb\n");
}

TEST(TextTable, PutsAsManyColumnsToTheLeftAsAsked) {
  EXPECT_EQ(text_table({{"a", "long", "1"}, {"long", "b", "23"}}, 2), "a     long   1\nlong  b     23\n");
}

TEST(TextTable, OfNothingIsNothing) { EXPECT_EQ(text_table({}), ""); }

}  // namespace
}  // namespace headstart
