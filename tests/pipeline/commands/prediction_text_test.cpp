// tests/pipeline/commands/prediction_text_test.cpp
#include "pipeline/commands/prediction_text.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace headstart {
namespace {

using Json = nlohmann::json;

PredictionColumns columns(int top_k, bool explained = false) {
  return {{"cat", "dog, small", "owl"}, top_k, "none of them", explained};
}

TEST(PredictionText, CsvHasAColumnForEachRank) {
  EXPECT_EQ(csv_header(columns(1)), "path,predicted,probability,error\n");
  EXPECT_EQ(csv_header(columns(2, true)),
            "path,predicted,probability,predicted_2,probability_2,explanation,error\n");
  EXPECT_EQ(csv_text({"a.jpg", {{1, 0.5F}, {0, 0.25F}}}, columns(2)), "a.jpg,\"dog, small\",0.5,cat,0.25,\n");
}

TEST(PredictionText, BelowTheThresholdTheFirstClassIsUnknownAndItsProbabilityStays) {
  const Prediction prediction{"a.jpg", {{1, 0.5F}, {0, 0.25F}}, true};
  EXPECT_EQ(csv_text(prediction, columns(2)), "a.jpg,none of them,0.5,cat,0.25,\n");
  const Json json = Json::parse(json_text(prediction, columns(2)));
  EXPECT_TRUE(json["predicted"].is_null());
  EXPECT_EQ(json["predictions"][0]["class"], "dog, small");
}

TEST(PredictionText, ARejectHasAReasonInTheSameColumns) {
  const Prediction prediction{"b.jpg", {}, false, "", "is empty"};
  EXPECT_EQ(csv_text(prediction, columns(2, true)), "b.jpg,,,,,,is empty\n");
  EXPECT_EQ(Json::parse(json_text(prediction, columns(2))), (Json{{"path", "b.jpg"}, {"error", "is empty"}}));
}

TEST(PredictionText, JsonNamesTheExplanationWhereThereIsOne) {
  const Json json = Json::parse(json_text({"a.jpg", {{2, 1.0F}}, false, "ex/1.png"}, columns(1, true)));
  EXPECT_EQ(json["predicted"], "owl");
  EXPECT_EQ(json["explanation"], "ex/1.png");
}

TEST(PredictionText, APathThatIsNoUtf8IsStillALine) {
  const std::string line = json_text({"a\xff.jpg", {{0, 1.0F}}}, columns(1));
  EXPECT_TRUE(Json::accept(line));
}

}  // namespace
}  // namespace headstart
