// tests/pipeline/model/embedded_weights_test.cpp
#include "pipeline/model/embedded_weights.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <filesystem>

namespace headstart {
namespace {

TEST(EmbeddedWeights, AreThoseOfTheFile) {
  const Vgg16Weights embedded = embedded_weights();
  const Vgg16Weights file =
      read_keras_weights(std::filesystem::path(HEADSTART_SOURCE_DIR "/models/vgg16_imagenet_notop.h5"));
  for (std::size_t i = 0; i < kVgg16Convolutions.size(); ++i) {
    EXPECT_TRUE(embedded.layers[i].kernel == file.layers[i].kernel) << kVgg16Convolutions[i].name;
    EXPECT_TRUE(embedded.layers[i].bias == file.layers[i].bias) << kVgg16Convolutions[i].name;
  }
  EXPECT_EQ(embedded.identity, file.identity);
  EXPECT_EQ(embedded.identity.hex(), kEmbeddedWeightsIdentity);
  EXPECT_EQ(embedded.identity, weights_identity(embedded.layers));
  EXPECT_EQ(embedded.preprocessing, file.preprocessing);
  EXPECT_EQ(embedded.format, file.format);
  EXPECT_EQ(embedded.preprocessing_reason, file.preprocessing_reason);
}

}  // namespace
}  // namespace headstart
