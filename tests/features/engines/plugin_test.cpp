// tests/features/engines/plugin_test.cpp: what opencv and libtorch do as plugins is in the tests of their
// engines.
#include "features/engines/plugin.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

namespace headstart {
namespace {

using ::testing::HasSubstr;

std::string why_not(const std::string& name) {
  const auto loaded = Plugin::load(name, "Made-up");
  return std::holds_alternative<Plugin>(loaded) ? "loaded" : std::get<std::string>(loaded);
}

TEST(Plugin, IsFoundBesideTheBinary) {
  const auto loaded = Plugin::load("opencv", "OpenCV");
  ASSERT_TRUE(std::holds_alternative<Plugin>(loaded)) << std::get<std::string>(loaded);
  const auto version = std::get<Plugin>(loaded).function<PluginVersion>(kPluginVersionName);
  EXPECT_GT(std::strlen(version()), 0U);
}

TEST(Plugin, SaysWhyItIsNotThere) {
  EXPECT_EQ(why_not("nothing"), "this build has no Made-up");
  EXPECT_EQ(why_not("made_up_plugin"), "headstart_made_up_plugin.so is of another version");
}

}  // namespace
}  // namespace headstart
