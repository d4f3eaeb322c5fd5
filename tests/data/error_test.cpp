// tests/data/error_test.cpp
#include "data/error.hpp"

#include <gtest/gtest.h>

namespace headstart {
namespace {

TEST(ErrorTest, SaysWhatWhereAndWhatToDoOnOneLine) {
  const Error error(Error::Kind::kData, "no image", "pets\nand more", "add images");
  EXPECT_STREQ(error.what(), "no image: pets\\x0aand more: add images");
  EXPECT_EQ(error.kind(), Error::Kind::kData);
}

TEST(ErrorTest, EachKindHasItsExitCode) {
  EXPECT_EQ(exit_code(Error::Kind::kFailed), 1);
  EXPECT_EQ(exit_code(Error::Kind::kUsage), 2);
  EXPECT_EQ(exit_code(Error::Kind::kData), 3);
}

TEST(PrintableTest, LeavesWellFormedUtf8Alone) {
  EXPECT_EQ(printable("caf\u00e9 \u732b \U0001F408.jpg"), "caf\u00e9 \u732b \U0001F408.jpg");
}

TEST(PrintableTest, ShowsControlCharactersAsHexadecimal) {
  EXPECT_EQ(printable(std::string_view("a\0b\x1b[31m\x7f\xc2\x85", 11)), "a\\x00b\\x1b[31m\\x7f\\xc2\\x85");
}

TEST(PrintableTest, ShowsInvalidUtf8AsHexadecimal) {
  EXPECT_EQ(printable("\xff"), "\\xff");
  EXPECT_EQ(printable("\xc3"), "\\xc3");                             // cut off
  EXPECT_EQ(printable("\xc0\xaf"), "\\xc0\\xaf");                    // overlong
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");           // a surrogate
  EXPECT_EQ(printable("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");  // past U+10FFFF
  EXPECT_EQ(printable("\xe2\x82g"), "\\xe2\\x82g");
}

}  // namespace
}  // namespace headstart
