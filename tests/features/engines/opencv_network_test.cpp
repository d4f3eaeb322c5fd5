// tests/features/engines/opencv_network_test.cpp: which layers would leave a device. What the network
// computes is tested through the engine.
#include "features/engines/opencv_network.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "features/engines/cuda_support.hpp"
#include "tests/features/engines/golden_features.hpp"

namespace headstart {
namespace {

using testing::Contains;
using testing::IsEmpty;
using testing::SizeIs;

TEST(OpencvNetwork, NamesTheLayersThatABackendHasNoCodeFor) {
  OpencvNetwork network(test::embedded_weights(), {.input_size = 32, .taps = {Tap{"block5_pool"}}}, {}, 1);
  EXPECT_THAT(network.layers_without(cv::dnn::DNN_BACKEND_OPENCV), IsEmpty());
  if (find_cuda(OpencvTarget::kCuda).dnn_target_works) {
    EXPECT_THAT(network.layers_without(cv::dnn::DNN_BACKEND_CUDA), IsEmpty());
  } else if (find_cuda(OpencvTarget::kCuda).build.cuda.empty()) {
    // An OpenCV without CUDA takes the order for the device and would run all of them on the CPU. Its
    // convolutions say that they can't; it has no say for layers without weights.
    EXPECT_THAT(network.layers_without(cv::dnn::DNN_BACKEND_CUDA), SizeIs(testing::Ge(13U)));
    EXPECT_THAT(network.layers_without(cv::dnn::DNN_BACKEND_CUDA), Contains("block3_conv2"));
  }
}

}  // namespace
}  // namespace headstart
