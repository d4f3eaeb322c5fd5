// tests/data/text_encoding_test.cpp
#include "data/text_encoding.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/utf8.hpp"

namespace headstart::test {
namespace {

using namespace std::string_literals;

TEST(TextEncoding, BytesBecomeUtf8) {
  EXPECT_EQ(to_utf8("caf\xe9", "latin1"), "café");
  EXPECT_EQ(to_utf8("\xc3\xa8", "gbk"), "猫");
  EXPECT_EQ(to_utf8("\x94\x4c\x83\x5c", "shift-jis"), "猫ソ");
  EXPECT_EQ(to_utf8("\x94", "shift-jis"), std::nullopt);
  EXPECT_EQ(to_utf8("caf\xe9", "utf-8"), std::nullopt);
  EXPECT_EQ(to_utf8(std::string(5000, '\xe9'), "latin1")->size(), 10000U);
  EXPECT_EQ(to_utf8("", "latin1"), "");
}

TEST(TextEncoding, NamesAreThoseOfIconv) {
  for (const char* name : {"latin1", "LATIN1", "iso-8859-1", "gbk", "shift-jis", "cp1252", "utf-16le"})
    EXPECT_TRUE(knows_encoding(name)) << name;
  for (const char* name : {"latin-one", "klingon"}) EXPECT_FALSE(knows_encoding(name)) << name;
}

TEST(TextEncoding, ByteOrderMarksAreRead) {
  EXPECT_EQ(without_byte_order_mark("\xef\xbb\xbfx"), "x");
  EXPECT_EQ(without_byte_order_mark("\xff\xfex\0\xe9\0"s), "x\xc3\xa9");
  EXPECT_EQ(without_byte_order_mark("\xfe\xff\0x"s), "x");
  EXPECT_EQ(without_byte_order_mark("\xff\xfe\0\0x\0\0\0"s), "x");
  EXPECT_EQ(without_byte_order_mark("\xff\xfex"), std::nullopt);
  EXPECT_EQ(without_byte_order_mark("caf\xe9"), "caf\xe9");
  EXPECT_EQ(without_byte_order_mark(""), "");
}

TEST(TextEncoding, TheLastLetterIsThereWhereAMarkMayFollowIt) {
  EXPECT_EQ(to_utf8("an", "windows-1258"), "an");
  EXPECT_EQ(to_utf8("a\xec", "windows-1258"), "á");
}

TEST(TextEncoding, WhatBytesLookLikeIsGuessed) {
  const auto first = [](std::string_view bytes) { return likely_encodings(bytes).at(0).encoding; };
  for (const std::string_view latin : {"caf\xe9", "M\xfcller",
                                       "stra\xdf"
                                       "e",
                                       "ni\xf1o", "\xc4pfel",
                                       "cr\xe8me br\xfbl\xe9"
                                       "e"})
    EXPECT_EQ(first(latin), "latin1") << latin;
  EXPECT_EQ(first("\xc3\xa8\xb9\xb7"), "gbk");                // 猫狗
  EXPECT_EQ(first("\xc6\xbb\xb9\xfb"), "gbk");                // 苹果
  EXPECT_EQ(first("\x94\x4c"), "shift-jis");                  // 猫
  EXPECT_EQ(first("\x83\x65\x83\x58\x83\x67"), "shift-jis");  // テスト
  EXPECT_EQ(first("\x82\xcb\x82\xb1"), "shift-jis");          // ねこ
  EXPECT_EQ(first("\xea\xee\xf8\xea\xe0"), "windows-1251");   // кошка
  EXPECT_EQ(first("caf\x82"), "cp437");
  EXPECT_EQ(first("M\x81ller"), "cp437");
  const auto korean = likely_encodings("\xb0\xed\xbe\xe7\xc0\xcc");  // 고양이, which may be GBK as well
  EXPECT_THAT(korean, testing::Contains(testing::Field(&EncodingGuess::encoding, "euc-kr")));
  EXPECT_EQ(encoding_advice("caf\xe9"), "it looks like latin1 (café): pass --encoding latin1, or rename it");
}

TEST(TextEncoding, WellFormedUtf8IsTold) {
  for (const std::string_view good : {"", "a", "é", "猫", "\U0001F408"}) EXPECT_TRUE(is_utf8(good)) << good;
  for (const std::string_view bad : {"\x80", "\xc0\x80", "\xe9", "\xed\xa0\x80", "\xf4\x90\x80\x80", "a\xff"})
    EXPECT_FALSE(is_utf8(bad));
}

}  // namespace
}  // namespace headstart::test
