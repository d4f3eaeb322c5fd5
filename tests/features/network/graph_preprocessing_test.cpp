// tests/features/network/graph_preprocessing_test.cpp: the files of transformers and timm as those libraries
// write them, and what they can hold besides.
#include "features/network/graph_preprocessing.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "data/error.hpp"
#include "tests/features/graph/small_graph.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart {
namespace {

using test::OnnxModel;
using ::testing::HasSubstr;

class GraphPreprocessing : public ::testing::Test {
 protected:
  [[nodiscard]] std::optional<StatedPreprocessing> found(
      const OnnxModel& model = test::small_classifier()) const {
    const GraphNetwork network(test::onnx_file(model), "made-up.onnx");
    return stated_preprocessing(network, folder_.path() / "made-up.onnx");
  }
  [[nodiscard]] std::string refusal(const std::string& name, const std::string& text) const {
    write(name, text);
    try {
      return found() ? "accepted" : "nothing";
    } catch (const Error& error) {
      return error.what();
    }
  }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
  }

 private:
  test::ScratchFolder folder_;
};

TEST_F(GraphPreprocessing, NothingIsGuessed) {
  EXPECT_FALSE(found());
  const GraphNetwork network(test::onnx_file(test::small_classifier()), "made-up.onnx");
  EXPECT_THAT(preprocessing_not_stated(network).what(),
              HasSubstr("pass --preprocess: caffe, caffe-rgb, torchvision"));
}

TEST_F(GraphPreprocessing, MetadataComesFirst) {
  write("preprocessor_config.json", R"({"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]})");
  OnnxModel model = test::small_classifier();
  model.metadata["headstart.preprocessing"] = "caffe";
  EXPECT_EQ(found(model)->preprocessing, kCaffePreprocessing);
  model.metadata["headstart.preprocessing"] = "mean=127,std=128";
  EXPECT_EQ(found(model)->preprocessing,
            (Preprocessing{ChannelOrder::kRgb, 1.0F, {127, 127, 127}, {128, 128, 128}}));
  model.metadata["headstart.preprocessing"] = "caffeine";
  EXPECT_THROW(static_cast<void>(found(model)), Error);
}

TEST_F(GraphPreprocessing, AnInputOfBytesTakesThePixels) {
  OnnxModel model = test::small_classifier();
  model.inputs[0].type = 2;
  EXPECT_EQ(found(model)->preprocessing, (Preprocessing{ChannelOrder::kRgb, 1.0F, {}, {1, 1, 1}}));
}

TEST_F(GraphPreprocessing, ReadsTransformersFile) {
  write("preprocessor_config.json",
        R"({"do_normalize": true, "do_rescale": true, "rescale_factor": 0.00392156862745098, "resample": 3,
            "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225], "size": {"shortest_edge": 256}})");
  write("config.json", R"({"model_type": "dinov2"})");
  const auto stated = found();
  ASSERT_TRUE(stated);
  EXPECT_EQ(stated->preprocessing, kTorchvisionPreprocessing);
  EXPECT_EQ(stated->source, "preprocessor_config.json beside the file says so");
  write("preprocessor_config.json", R"({"do_normalize": false})");
  EXPECT_EQ(found()->preprocessing, kUnitPreprocessing);
  write("preprocessor_config.json", R"({"do_normalize": false, "do_rescale": false})");
  EXPECT_EQ(found()->preprocessing.scale, 1.0F);
}

TEST_F(GraphPreprocessing, ReadsTimmsFile) {
  write("config.json",
        R"({"architecture": "vit_base", "pretrained_cfg": {"mean": [0.5, 0.5, 0.5], "std": [0.25, 0.5, 1],
                           "interpolation": "bicubic", "crop_pct": 0.9}})");
  EXPECT_EQ(found()->preprocessing,
            (Preprocessing{ChannelOrder::kRgb, 1.0F / 255.0F, {0.5F, 0.5F, 0.5F}, {0.25F, 0.5F, 1.0F}}));
  write("config.json", R"({"model_type": "resnet"})");
  EXPECT_FALSE(found()) << "a file of transformers, which says nothing of pixels";
}

TEST_F(GraphPreprocessing, BadFilesAreErrorsThatNameThem) {
  const std::string name = "preprocessor_config.json";
  EXPECT_THAT(refusal(name, "{"), HasSubstr("preprocessor_config.json"));
  EXPECT_THAT(refusal(name, R"({"image_mean": [1, 2], "image_std": [1, 1, 1]})"), HasSubstr(name));
  EXPECT_THAT(refusal(name, R"({"image_mean": [1, 2, 3], "image_std": [1, 0, 1]})"),
              HasSubstr("not above 0"));
  EXPECT_THAT(refusal(name, R"({"image_mean": [1, 2, 1e39], "image_std": [1, 1, 1]})"),
              HasSubstr("not finite"));
  EXPECT_THAT(refusal(name, R"({"image_mean": "imagenet"})"), HasSubstr(name));
  EXPECT_THAT(refusal(name, R"({"do_rescale": "yes"})"), HasSubstr(name));
  EXPECT_EQ(refusal(name, "[]"), "nothing");
}

}  // namespace
}  // namespace headstart
