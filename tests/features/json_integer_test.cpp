// tests/features/json_integer_test.cpp
#include "features/json_integer.hpp"

#include <gtest/gtest.h>

#include <cstdint>

namespace headstart {
namespace {

using Json = nlohmann::json;

TEST(JsonInteger, IsTheNumberThatIsWritten) {
  EXPECT_EQ(json_integer<int>(Json::parse("224")), 224);
  EXPECT_EQ(json_integer<int>(Json::parse("-2147483648")), INT32_MIN);
  EXPECT_EQ(json_integer<std::uint64_t>(Json::parse("18446744073709551615")), UINT64_MAX);
}

TEST(JsonInteger, NeverBecomesAnother) {
  for (const char* const text : {"224.7", "224.0", "2147483648", "-2147483649", "4294967520", "1e30",
                                 "\"224\"", "true", "null", "[224]"})
    EXPECT_THROW((void)json_integer<int>(Json::parse(text)), std::invalid_argument) << text;
  for (const char* const text : {"-1", "3.11111e+29", "4294967296"})
    EXPECT_THROW((void)json_integer<std::uint32_t>(Json::parse(text)), std::invalid_argument) << text;
}

TEST(JsonInteger, IsTheOtherwiseWhereNothingIsWritten) {
  const Json json = {{"views", 3}, {"block", 2.5}};
  EXPECT_EQ(json_integer(json, "views", 0), 3);
  EXPECT_EQ(json_integer(json, "seed", 7), 7);
  EXPECT_THROW((void)json_integer(json, "block", 0), std::invalid_argument);
}

}  // namespace
}  // namespace headstart
