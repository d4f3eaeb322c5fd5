// tests/memory/enum_names_test.cpp: names and values of an enum from its one switch.
#include "memory/enum_names.hpp"

#include <gtest/gtest.h>

namespace headstart {
namespace {

enum class Colour { kNone, kRed, kBlue };

constexpr std::string_view to_string(Colour colour) noexcept {
  switch (colour) {
    case Colour::kNone:
      return "";
    case Colour::kRed:
      return "red";
    case Colour::kBlue:
      return "blue";
  }
  return {};
}

static_assert(count_names<Colour>() == 3, "an empty name is a name");
static_assert(parse_name<Colour>("blue") == Colour::kBlue);
static_assert(parse_name<Colour>("") == Colour::kNone);

TEST(EnumNames, AnUnknownNameHasNoValue) {
  EXPECT_EQ(parse_name<Colour>("Red"), std::nullopt);
  EXPECT_EQ(parse_name<Colour>("re"), std::nullopt);
  EXPECT_EQ(parse_name<Colour>("redd"), std::nullopt);
}

TEST(EnumNames, ValuesComeInOrder) {
  EXPECT_EQ(named_values<Colour>(), (std::array{Colour::kNone, Colour::kRed, Colour::kBlue}));
  EXPECT_EQ(joined_names<Colour>(), "red|blue");
}

}  // namespace
}  // namespace headstart
