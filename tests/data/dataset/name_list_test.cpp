// tests/data/dataset/name_list_test.cpp
#include "data/dataset/name_list.hpp"

#include <gtest/gtest.h>

#include "data/error.hpp"

namespace headstart::test {
namespace {

using namespace std::string_literals;

using Names = std::vector<ListedName>;

TEST(NameList, LinesAreNames) {
  EXPECT_EQ(names_in_list("a\nb c\r\n\n d\n", "list"), (Names{{"a", 1}, {"b c", 2}, {" d", 4}}));
  EXPECT_EQ(names_in_list("a", "list"), (Names{{"a", 1}}));
  EXPECT_EQ(names_in_list("", "list"), Names{});
}

TEST(NameList, ZeroBytesSeparateWhereThereAreSome) {
  EXPECT_EQ(names_in_list("a\0b\nc\0\0d\r"s, "list"), (Names{{"a", 1}, {"b\nc", 2}, {"d\r", 4}}));
}

TEST(NameList, AByteOrderMarkIsNoPartOfTheFirstName) {
  EXPECT_EQ(names_in_list("\xef\xbb\xbf"
                          "a\n",
                          "list"),
            (Names{{"a", 1}}));
  EXPECT_EQ(names_in_list("\xef\xbb\xbf"
                          "a\0b\0"s,
                          "list"),
            (Names{{"a", 1}, {"b", 2}}));
}

TEST(NameList, Utf16WithAMarkIsRead) {
  EXPECT_EQ(names_in_list("\xff\xfe"
                          "a\0\r\0\n\0\xe9\0"s,
                          "list"),
            (Names{{"a", 1}, {"\xc3\xa9", 2}}));
  EXPECT_EQ(names_in_list("\xfe\xff"
                          "\0a\0\n\0b"s,
                          "list"),
            (Names{{"a", 1}, {"b", 2}}));
  EXPECT_THROW(static_cast<void>(names_in_list("\xff\xfe"
                                               "a",
                                               "list")),
               Error);
}

TEST(NameList, Utf16WithoutAMarkIsAnError) {
  const auto message_of = [](std::string_view text) -> std::string {
    try {
      static_cast<void>(names_in_list(text, "list"));
    } catch (const Error& error) {
      return error.what();
    }
    return "read";
  };
  EXPECT_EQ(
      message_of("\x2b\x73/\0a\0.\0j\0p\0g\0\n\0"s),
      "cannot read the list: it has zero bytes as UTF-16 has: list: write it as UTF-8, or with a byte order "
      "mark");
  EXPECT_NE(message_of("\0a\0.\0j\0p\0g\0\r\0\n"s), "read");
  EXPECT_EQ(message_of("a\0b\0./c\0d.jpg\0e\0"s), "read");
  EXPECT_EQ(message_of(".\0./1\0./2\0./3\0./4\0"s), "read");
}

TEST(NameList, OtherBytesStayAsTheyAre) {
  EXPECT_EQ(names_in_list("caf\xe9.jpg\n", "list"), (Names{{"caf\xe9.jpg", 1}}));
}

}  // namespace
}  // namespace headstart::test
