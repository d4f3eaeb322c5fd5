// tests/pipeline/options/config_test.cpp: what is written is read back as it was, whatever it is.
#include "pipeline/options/config.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <charconv>
#include <fstream>

#include "data/error.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart::test {
namespace {

using List = std::vector<ConfigScalar>;

ConfigValue read_back(const ConfigValue& value) {
  const std::string text = config_text("", std::array{ConfigSection{"train", {{"key", value, ""}}}});
  const ConfigFile file = parse_config(text, "c.toml");
  EXPECT_EQ(file.format, ConfigFormat::kNow);
  const std::vector<ConfigKey>& keys = file.keys;
  EXPECT_EQ(keys.size(), 1U) << text;
  EXPECT_EQ(keys.at(0).section, std::vector<std::string>{"train"});
  EXPECT_EQ(keys.at(0).name, "key");
  return keys.at(0).value.value();
}

std::string message_of(const std::string& text) {
  try {
    static_cast<void>(parse_config(text, "c.toml"));
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Error::Kind::kUsage);
    return error.what();
  }
  return "read";
}

TEST(ConfigTest, EveryTextComesBack) {
  for (const std::string text : {"",
                                 "plain",
                                 "it's a \"set\"",
                                 "'",
                                 "\"",
                                 "\"\"\"",
                                 "'''",
                                 "a\\b",
                                 "C:\\new\\table",
                                 "line\nbreak",
                                 "\r\n",
                                 "tab\there",
                                 "\x01\x1f\x7f",
                                 "caf\xc3\xa9",
                                 "\xf0\x9f\x90\x88",
                                 "caf\xe9",
                                 "\\x41\xe9",
                                 "\xff\xfe",
                                 "a # b",
                                 "[x]",
                                 "{ bytes = 1 }",
                                 "1",
                                 "1.0",
                                 "true",
                                 "nan",
                                 "2024-01-01",
                                 "a,b"}) {
    EXPECT_EQ(std::get<std::string>(read_back(text)), text);
    EXPECT_EQ(std::get<List>(read_back(List{text, text})), (List{text, text}));
  }
}

RC_GTEST_PROP(ConfigProperty, EveryTextComesBack, (const std::string& text)) {
  RC_ASSERT(std::get<std::string>(read_back(text)) == text);
}

RC_GTEST_PROP(ConfigProperty, EveryNumberComesBack, (std::int64_t whole, double number, bool flag)) {
  RC_ASSERT(std::get<std::int64_t>(read_back(whole)) == whole);
  RC_ASSERT(std::get<double>(read_back(number)) == number);
  RC_ASSERT(std::get<bool>(read_back(flag)) == flag);
  // And an option reads the same bits.
  const std::string word = word_of(number);
  double read = 0.0;
  RC_ASSERT(std::from_chars(word.data(), word.data() + word.size(), read).ec == std::errc());
  RC_ASSERT(read == number);
  RC_ASSERT(word_of(whole) == std::to_string(whole));
}

RC_GTEST_PROP(ConfigProperty, EveryListComesBack, (const std::vector<std::string>& words)) {
  const List list(words.begin(), words.end());
  RC_ASSERT(std::get<List>(read_back(list)) == list);
}

TEST(ConfigTest, TextHasTheFormatAndASectionForEachCommand) {
  const ConfigSection sweep{"sweep", {{"folds", std::int64_t{5}, "How many"}, {"l2", 0.1, ""}}};
  const ConfigSection train{"train", {{"seed", std::int64_t{7}, ""}}};
  EXPECT_EQ(config_text("About\nit", std::array{sweep, train}),
            "# About\n# it\nformat = 2\n\n[sweep]\n\n# How many\nfolds = 5\nl2 = 0.1\n\n[train]\nseed = 7\n");
}

TEST(ConfigTest, NumbersAreWrittenShort) {
  EXPECT_EQ(word_of(0.001), "0.001");
  EXPECT_EQ(word_of(0.1F), "0.10000000149011612") << "a double has what a float lacks";
  EXPECT_EQ(word_of(1e-5), "1e-05");
}

TEST(ConfigTest, TheFormatIsReadAndAnUnknownOneIsRefused) {
  EXPECT_EQ(parse_config("[train]\nseed = 1\n", "c.toml").format, ConfigFormat::k0_1_0);
  EXPECT_EQ(parse_config("format = 1\n[train]\n", "c.toml").format, ConfigFormat::k0_1_0);
  EXPECT_EQ(parse_config("format = 2\n[train]\n", "c.toml").format, ConfigFormat::kNow);
  EXPECT_TRUE(parse_config("format = 2\n[train]\n", "c.toml").keys.empty());
  EXPECT_NE(message_of("\nformat = 3\n").find("c.toml, line 2: a later headstart"), std::string::npos);
  EXPECT_NE(message_of("format = \"2\"\n").find("c.toml, line 1"), std::string::npos);
}

TEST(ConfigTest, KeysKnowTheirSectionAndLine) {
  const auto keys =
      parse_config("\xef\xbb\xbf# x\nfree = 1\n[cache.export]\ntap = \"a\"\r\n[train]\nwhen = 2024-01-01\n",
                   "c.toml")
          .keys;
  ASSERT_EQ(keys.size(), 3U);
  EXPECT_EQ(keys[0].line, 2U);
  EXPECT_TRUE(keys[0].section.empty());
  EXPECT_EQ(keys[1].section, (std::vector<std::string>{"cache", "export"}));
  EXPECT_EQ(keys[1].line, 4U);
  EXPECT_EQ(keys[2].line, 6U);
  EXPECT_FALSE(keys[2].value.has_value());
  EXPECT_EQ(keys[2].found, "a date or time");
}

TEST(ConfigTest, WhatIsNoTomlIsNamedWithItsLine) {
  EXPECT_NE(message_of("[train]\nepochs = \n").find("c.toml, line 2"), std::string::npos);
  EXPECT_NE(message_of("[train]\na = \"b\n").find("c.toml, line 2"), std::string::npos);
  EXPECT_NE(message_of("[train]\na = 1\na = 2\n").find("c.toml, line 3"), std::string::npos);
  EXPECT_NE(message_of(std::string(2, '\xff')).find("c.toml, line 1"), std::string::npos);
  EXPECT_NE(message_of("[train]\nepochs=ten\n").find("c.toml, line 2"), std::string::npos);
}

TEST(ConfigTest, LinesOf010ThatAreNoTomlAreReadAsTheyWereMeant) {
  const auto keys =
      parse_config(
          "[train]\n\n# Dataset\ndataset='it's a \"set\"'\nhidden=512,128\ndropout=.5\nrates=[.1, 1, 3.]\n"
          "cache=\"\"\nnesterov=false\nseed=007\n",
          "c.toml")
          .keys;
  ASSERT_EQ(keys.size(), 7U);
  EXPECT_EQ(std::get<std::string>(*keys[0].value), "it's a \"set\"");
  EXPECT_EQ(std::get<List>(*keys[1].value), (List{std::int64_t{512}, std::int64_t{128}}));
  EXPECT_EQ(std::get<double>(*keys[2].value), 0.5);
  EXPECT_EQ(std::get<List>(*keys[3].value), (List{0.1, std::int64_t{1}, 3.0}));
  EXPECT_EQ(std::get<std::string>(*keys[4].value), "");
  EXPECT_EQ(std::get<bool>(*keys[5].value), false);
  EXPECT_EQ(std::get<std::int64_t>(*keys[6].value), 7);
  EXPECT_EQ(keys[6].line, 10U);
}

TEST(ConfigTest, AFileThatCannotBeReadIsNamed) {
  const ScratchFolder scratch;
  for (const std::filesystem::path& file : {scratch / "none.toml", scratch / "."}) {
    EXPECT_THROW(static_cast<void>(read_config(file)), Error) << file;
  }
  std::ofstream(scratch / "large.toml") << std::string((std::size_t{1} << 24U) + 1, '#');
  EXPECT_THROW(static_cast<void>(read_config(scratch / "large.toml")), Error);
}

TEST(ConfigTest, AKeyOfManyPartsIsRefusedWithItsLine) {
  std::string parts;
  for (int part = 0; part < 20'000; ++part) parts += part % 2 == 0 ? "a." : "\"b.c\" . ";
  for (const std::string& text :
       {"\n" + parts + "d = 1\n", "#\n[" + parts + "d]\n", "\nt = { " + parts + "d = 1 }\n",
        "s = \"\"\"\\\"\n\"\"\"; " + parts + "d = 1\n"}) {
    EXPECT_EQ(
        message_of(text),
        "cannot read the configuration: a key has more than 16 parts: c.toml, line 2: write it as headstart "
        "does: below the name of a command");
  }
}

TEST(ConfigTest, DotsThatDivideNoKeyAreNotCounted) {
  const std::string dots(40, '.');
  const std::string text =
      "# " + dots + "\n[a.b]\nx = \"" + dots + "\\\"" + dots + "\"\ny = '" + dots +
      "'\nz = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4, 1.5, "
      "1.6, 1.7]\nw = \"\"\"\"" +
      dots + "\n" + dots + "\"\"\"\n";
  EXPECT_EQ(message_of(text), "read");
}

}  // namespace
}  // namespace headstart::test
