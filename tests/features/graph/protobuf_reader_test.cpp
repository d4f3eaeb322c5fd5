// tests/features/graph/protobuf_reader_test.cpp: the examples are those of protobuf.dev's page on the
// encoding.
#include "features/graph/protobuf_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

namespace headstart {
namespace {

using ::testing::HasSubstr;
using Kind = ProtobufField::Kind;

std::span<const std::byte> bytes_of_text(std::string_view text) { return std::as_bytes(std::span(text)); }

std::string refusal_of(std::string_view message) {
  try {
    ProtobufReader reader(bytes_of_text(message));
    while (reader.next()) continue;
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "accepted";
}

TEST(ProtobufReader, ReadsEveryKindOfField) {
  using namespace std::string_view_literals;
  ProtobufReader reader(
      bytes_of_text("\x08\x96\x01\x12\x07testing\x1d\x01\x02\x03\x04\x21\x01\x02\x03\x04\x05\x06\x07\x08"sv));
  const auto number = reader.next();
  ASSERT_TRUE(number);
  EXPECT_EQ(number->number, 1U);
  EXPECT_EQ(number->kind, Kind::kVarint);
  EXPECT_EQ(number->value, 150U);
  const auto text = reader.next();
  ASSERT_TRUE(text);
  EXPECT_EQ(text->number, 2U);
  EXPECT_EQ(text->text(), "testing");
  const auto four = reader.next();
  ASSERT_TRUE(four);
  EXPECT_EQ(four->kind, Kind::kFixed32);
  EXPECT_EQ(four->text(), "\x01\x02\x03\x04");
  const auto eight = reader.next();
  ASSERT_TRUE(eight);
  EXPECT_EQ(eight->kind, Kind::kFixed64);
  EXPECT_EQ(eight->text(), "\x01\x02\x03\x04\x05\x06\x07\x08");
  EXPECT_TRUE(reader.at_end());
  EXPECT_FALSE(reader.next());
}

TEST(ProtobufReader, ANegativeNumberHasTenBytes) {
  ProtobufReader reader(bytes_of_text("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"));
  EXPECT_EQ(static_cast<std::int64_t>(reader.varint()), -1);
  EXPECT_TRUE(reader.at_end());
}

TEST(ProtobufReader, ANumberOfMoreThan64BitsIsRefused) {
  EXPECT_THAT(refusal_of("\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x02"), HasSubstr("64 bits"));
  EXPECT_THAT(refusal_of("\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"), HasSubstr("64 bits"));
}

TEST(ProtobufReader, LengthsBeyondTheEndAreRefused) {
  EXPECT_THAT(refusal_of("\x12\x07test"), HasSubstr("7 bytes where 4 are left"));
  EXPECT_THAT(refusal_of("\x12\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01test"),
              HasSubstr("18446744073709551615 bytes where 4 are left"));
  EXPECT_THAT(refusal_of("\x1d\x01"), HasSubstr("4 bytes where 1 are left"));
  EXPECT_THAT(refusal_of("\x21"), HasSubstr("8 bytes where 0 are left"));
  EXPECT_THAT(refusal_of("\x08\x96"), HasSubstr("1 bytes where 0 are left"));
}

TEST(ProtobufReader, FieldZeroGroupsAndUnknownWireTypesAreRefused) {
  using namespace std::string_view_literals;
  EXPECT_THAT(refusal_of("\x00\x01"sv), HasSubstr("number 0"));
  EXPECT_THAT(refusal_of("\x0B"), HasSubstr("wire type 3"));
  EXPECT_THAT(refusal_of("\x0C"), HasSubstr("wire type 4"));
  EXPECT_THAT(refusal_of("\x0E\x01"), HasSubstr("wire type 6"));
  EXPECT_THAT(refusal_of("\x80\x80\x80\x80\x10\x01"), HasSubstr("number 536870912"));
}

}  // namespace
}  // namespace headstart
