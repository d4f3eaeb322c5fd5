// tests/pipeline/command_line/suggestion_test.cpp
#include "pipeline/command_line/suggestion.hpp"

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

TEST(Suggestion, KnowsWordsOfOtherLibraries) {
  const std::vector<std::string> names{"--learning-rate", "--l2",    "--batch-size",
                                       "--engine-batch",  "--folds", "train"};
  EXPECT_EQ(suggestion("--lr", names), "did you mean --learning-rate?") << "not --l2, which is nearer";
  EXPECT_EQ(suggestion("--weight-decay", names), "did you mean --l2?");
  EXPECT_EQ(suggestion("--cv", names), "did you mean --folds?");
  EXPECT_EQ(suggestion("--batch", names), "did you mean --batch-size?");
  EXPECT_EQ(suggestion("--batch-size", {"--engine-batch"}), "did you mean --engine-batch?");
  EXPECT_EQ(suggestion("lr", {"learning-rate"}), "did you mean learning-rate?") << "in config.toml";
  EXPECT_EQ(suggestion("--batch-sice", names), "did you mean --batch-size?");
}

TEST(Suggestion, SaysWhatThereIsInstead) {
  EXPECT_NE(suggestion("--optimizer", {"--out"}).find("SGD"), std::string::npos);
  EXPECT_EQ(suggestion("--colour-blindness", {"--out"}), "");
}

}  // namespace
}  // namespace headstart
