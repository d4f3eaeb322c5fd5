// tests/pipeline/model/embedded_weights_test.cpp
#include "pipeline/model/embedded_weights.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <filesystem>

#include "features/network/known_networks.hpp"
#include "tests/features/network/vgg16_layers.hpp"

namespace headstart {
namespace {

TEST(EmbeddedWeights, AreThoseOfTheFile) {
  const NetworkWeights embedded = embedded_weights();
  const NetworkWeights file = read_keras_weights(
      vgg16(), std::filesystem::path(HEADSTART_SOURCE_DIR "/models/vgg16_imagenet_notop.h5"));
  for (std::size_t i = 0; i < test::vgg16_convolutions().size(); ++i) {
    EXPECT_TRUE(embedded.layers[i].kernel == file.layers[i].kernel) << test::vgg16_convolutions()[i].name;
    EXPECT_TRUE(embedded.layers[i].bias == file.layers[i].bias) << test::vgg16_convolutions()[i].name;
  }
  EXPECT_EQ(embedded.identity, file.identity);
  EXPECT_EQ(embedded.identity.hex(), kEmbeddedWeightsIdentity);
  EXPECT_EQ(embedded.identity, weights_identity(vgg16(), embedded.layers));
  EXPECT_EQ(embedded.preprocessing, file.preprocessing);
  EXPECT_EQ(embedded.format, file.format);
  EXPECT_EQ(embedded.preprocessing_reason, file.preprocessing_reason);
}

}  // namespace
}  // namespace headstart
