// tests/features/engines/plugin_test.cpp: what opencv and libtorch do as plugins is in the tests of their
// engines.
#include "features/engines/plugin.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <variant>

#include "data/error.hpp"
#include "features/engines/availability.hpp"

namespace headstart {
namespace {

using ::testing::MatchesRegex;

TEST(Plugin, IsFoundBesideTheProgram) {
  const auto found = find_in_plugin("opencv", kPluginVersionName);
  ASSERT_TRUE(std::holds_alternative<void*>(found)) << std::get<std::string>(found);
  const auto version = reinterpret_cast<decltype(&headstart_plugin_version)>(std::get<void*>(found));
  EXPECT_GT(std::strlen(version()), 0U);
}

/// A function that no plugin has to have.
PluginFunction<std::string*(int)> open_of(const char* plugin) { return {plugin, "open"}; }
PluginFunction<void(Availability&)> probe_of(const char* plugin) { return {plugin, "probe"}; }

std::string error_of(const char* plugin) {
  try {
    return *open_in_plugin(open_of(plugin), "engine made-up", "choose another", 1);
  } catch (const Error& error) {
    return error.what();
  }
}

TEST(Plugin, SaysWhyItIsNotThere) {
  const Availability nothing = probe_in_plugin(probe_of("nothing"));
  EXPECT_FALSE(nothing.available);
  EXPECT_THAT(
      nothing.detail,
      MatchesRegex("headstart_nothing.so is neither beside the program nor in /.*/lib/headstart/plugins"));
  EXPECT_EQ(error_of("nothing"), "engine made-up is not available: " + nothing.detail + ": choose another");

  const Availability other = probe_in_plugin(probe_of("made_up_plugin"));
  EXPECT_FALSE(other.available);
  EXPECT_EQ(other.detail, "headstart_made_up_plugin.so is of another version");
  EXPECT_EQ(error_of("made_up_plugin"),
            "engine made-up is not available: " + other.detail + ": choose another");
}

}  // namespace
}  // namespace headstart
