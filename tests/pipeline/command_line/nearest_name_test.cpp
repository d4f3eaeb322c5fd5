// tests/pipeline/command_line/nearest_name_test.cpp
#include "pipeline/command_line/nearest_name.hpp"

#include <gtest/gtest.h>

namespace headstart {
namespace {

const std::vector<std::string> kNames{"--epochs", "--engine", "--momentum", "train", "predict"};

TEST(NearestName, FindsSwappedMissingAndExtraLetters) {
  EXPECT_EQ(nearest_name("--epcohs", kNames), "--epochs");
  EXPECT_EQ(nearest_name("--momentm", kNames), "--momentum");
  EXPECT_EQ(nearest_name("trainn", kNames), "train");
}

TEST(NearestName, StaysSilentWhereNothingIsNear) {
  EXPECT_EQ(nearest_name("--colour-blindness", kNames), "");
  EXPECT_EQ(nearest_name("xyz", kNames), "");
}

TEST(NearestName, OfNoNamesIsNone) { EXPECT_EQ(nearest_name("train", {}), ""); }

}  // namespace
}  // namespace headstart
