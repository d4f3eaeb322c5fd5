// tests/pipeline/config_text_test.cpp
#include "pipeline/config_text.hpp"

#include <gtest/gtest.h>

namespace headstart::test {
namespace {

constexpr const char* kText = "[sweep]\n\n# Where\ncache=\"\"\n\n# Folds\nfolds=5\n\n# Lambda\nl2=1,2\n";

TEST(ConfigTextTest, TheSectionGetsItsNewName) {
  EXPECT_EQ(ConfigText("[sweep]\na=1\n", "train").text(), "[train]\na=1\n");
}

TEST(ConfigTextTest, AKeyIsReplacedWhereItStandsOrAppended) {
  ConfigText config(kText, "train");
  config.set("l2", "0.5");
  config.set("l", "7");
  EXPECT_EQ(config.text(), "[train]\n\n# Where\ncache=\"\"\n\n# Folds\nfolds=5\n\n# Lambda\nl2=0.5\nl=7\n");
}

TEST(ConfigTextTest, AnErasedKeyTakesItsCommentAlong) {
  ConfigText config(kText, "train");
  config.erase("folds");
  config.erase("fold");
  EXPECT_EQ(config.text(), "[train]\n\n# Where\ncache=\"\"\n\n# Lambda\nl2=1,2\n");
}

}  // namespace
}  // namespace headstart::test
