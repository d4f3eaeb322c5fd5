// tests/features/engines/opencv_engine_test.cpp
#include "features/engines/opencv_engine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/error.hpp"
#include "features/engines/native_engine.hpp"
#include "features/engines/onednn_engine.hpp"
#include "tests/features/engines/golden_features.hpp"
#include "tests/support/golden.hpp"

namespace headstart {
namespace {

using test::embedded_weights;
using test::golden_input;
using test::run_rows;
using testing::HasSubstr;

EngineOptions opencv_options(int batch_size, std::vector<Tap> taps) {
  return {.batch_size = batch_size, .taps = std::move(taps), .threads = 2};
}

class OpencvEngineBatch : public testing::TestWithParam<int> {};

TEST_P(OpencvEngineBatch, GivesKerasFeaturesAtEveryTap) {
  const auto engine =
      open_opencv_engine(OpencvTarget::kCpu, embedded_weights(), opencv_options(GetParam(), vgg16().taps));
  ASSERT_EQ(engine->batch_size(), GetParam());
  test::expect_keras_features(*engine);
}

// To the bit, as the same kernels get the same numbers.
TEST_P(OpencvEngineBatch, GivesTheSameFromATapOn) {
  EngineOptions part = opencv_options(GetParam(), vgg16().taps);
  const auto whole = run_rows(*open_opencv_engine(OpencvTarget::kCpu, embedded_weights(), part),
                              golden_input(), test::kGoldenRows);
  for (const Tap& from : {Tap{"block3_pool"}, Tap{"block4_pool"}}) {
    part.from = from;
    part.taps.assign(vgg16().taps.begin() + block_of(vgg16(), from), vgg16().taps.end());
    const auto upper = open_opencv_engine(OpencvTarget::kCpu, embedded_weights(), part);
    const auto features = test::run_upper(*upper, whole);
    test::expect_keras_features(features);
    EXPECT_EQ(features, whole) << to_string(from);
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, OpencvEngineBatch, testing::Values(1, 4, 8));

TEST(OpencvEngine, ARowDoesNotDependOnItsNeighbours) {
  const auto engine =
      open_opencv_engine(OpencvTarget::kCpu, embedded_weights(), opencv_options(2, {Tap{"block2_pool"}}));
  std::vector<float> batch(golden_input().begin(), golden_input().begin() + 2 * test::kGoldenRow);
  const auto before = run_rows(*engine, batch, 2);
  std::fill_n(batch.begin(), test::kGoldenRow, 1e4F);
  const auto after = run_rows(*engine, batch, 2);
  const auto second = [](const std::vector<float>& rows) {
    return std::vector<float>(rows.begin() + static_cast<std::ptrdiff_t>(rows.size() / 2), rows.end());
  };
  EXPECT_EQ(second(before[0]), second(after[0]));
  EXPECT_NE(before[0], after[0]);
}

TEST(OpencvEngine, GivesTapsInTheOrderAskedFor) {
  const auto engine = open_opencv_engine(OpencvTarget::kCpu, embedded_weights(),
                                         opencv_options(1, {Tap{"block2_pool"}, Tap{"block1_pool"}}));
  const auto features = run_rows(*engine, std::span(golden_input()).first(test::kGoldenRow), 1);
  EXPECT_EQ(features[0].size(), tap_shape(vgg16(), Tap{"block2_pool"}, 224).size());
  EXPECT_EQ(features[1].size(), tap_shape(vgg16(), Tap{"block1_pool"}, 224).size());
}

/// Sizes whose pools drop odd rows too (100: 50, 25, 12, 6, 3).
class EnginesAtInputSize : public testing::TestWithParam<int> {};

TEST_P(EnginesAtInputSize, Agree) {
  const int size = GetParam();
  const std::size_t row = static_cast<std::size_t>(size) * static_cast<std::size_t>(size) * 3;
  const std::span<const float> input = std::span(golden_input()).first(2 * row);
  EngineOptions wanted{.input_size = size, .taps = vgg16().taps, .threads = 2};
  wanted.batch_size = 2;
  const auto onednn = run_rows(*open_onednn_engine(embedded_weights(), wanted), input, 2);
  const auto native = run_rows(*open_native_engine(embedded_weights(), wanted), input, 2);
  wanted.batch_size = 1;
  const auto opencv = run_rows(*open_opencv_engine(OpencvTarget::kCpu, embedded_weights(), wanted), input, 2);
  for (std::size_t tap = 0; tap < vgg16().taps.size(); ++tap) {
    ASSERT_EQ(onednn[tap].size(), 2 * tap_shape(vgg16(), vgg16().taps[tap], size).size());
    EXPECT_LE(test::relative_l2_error(onednn[tap], opencv[tap]), 1e-5) << to_string(vgg16().taps[tap]);
    EXPECT_LE(test::relative_l2_error(native[tap], opencv[tap]), 1e-5) << to_string(vgg16().taps[tap]);
  }
  wanted.from = Tap{"block3_pool"};
  wanted.taps = {Tap{"block5_pool"}};
  const auto upper =
      run_rows(*open_opencv_engine(OpencvTarget::kCpu, embedded_weights(), wanted), onednn[2], 2);
  EXPECT_LE(test::relative_l2_error(upper[0], opencv[4]), 1e-5);
  wanted.batch_size = 2;
  EXPECT_EQ(run_rows(*open_native_engine(embedded_weights(), wanted), native[2], 2)[0], native[4]);
}

INSTANTIATE_TEST_SUITE_P(Sizes, EnginesAtInputSize, testing::Values(32, 64, 100, 127));

// A device whose memory holds three images: a batch that was asked for goes through in parts.
TEST(OpencvEngine, ABatchThatDoesNotFitTheMemoryGoesThroughInParts) {
  EngineOptions wanted{
      .batch_size = 5, .input_size = 32, .taps = {Tap{"block2_pool"}, Tap{"block5_pool"}}, .threads = 2};
  const std::span<const float> input = std::span(golden_input()).first(std::size_t{5} * 32 * 32 * 3);
  const auto whole = run_rows(*open_opencv_engine(OpencvTarget::kCpu, embedded_weights(), wanted), input, 5);
  const auto engine = open_opencv_engine(OpencvTarget::kCpu, embedded_weights(), wanted, 3);
  EXPECT_EQ(engine->batch_size(), 5);
  EXPECT_THAT(engine->description().implementation, HasSubstr("2 images at a time"));
  EXPECT_EQ(run_rows(*engine, input, 5), whole);
}

TEST(OpencvEngine, OneImageThatDoesNotFitTheMemoryIsOneLine) {
  const EngineOptions wanted{.batch_size = 4, .input_size = 32, .taps = {Tap{"block1_pool"}}, .threads = 2};
  try {
    const auto engine = open_opencv_engine(OpencvTarget::kCpu, embedded_weights(), wanted, 0);
    FAIL() << "opened";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("the device's memory does not hold one image"));
  }
}

TEST(OpencvEngine, KnowsWhichErrorsOfADeviceAreAboutMemory) {
  for (const char* reason : {"out of memory", "CUDNN_STATUS_ALLOC_FAILED", "CUBLAS_STATUS_ALLOC_FAILED",
                             "CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED"})
    EXPECT_TRUE(is_out_of_memory(reason)) << reason;
  for (const char* reason : {"an illegal memory access was encountered", "CUDNN_STATUS_EXECUTION_FAILED", "",
                             "the device was lost"})
    EXPECT_FALSE(is_out_of_memory(reason)) << reason;
}

class CudaEngine : public testing::TestWithParam<OpencvTarget> {};

/// On a machine with CUDA the engine gives Keras's features, to the precision of its class; on any other it
/// says what is missing and falls back to nothing.
TEST_P(CudaEngine, GivesKerasFeaturesOrSaysWhatIsMissing) {
  const Availability availability = probe_opencv(GetParam());
  EngineOptions wanted = opencv_options(4, vgg16().taps);
  if (availability.available) {
    const auto engine = open_opencv_engine(GetParam(), embedded_weights(), wanted);
    EXPECT_EQ(engine->description().name, to_string(GetParam()));
    test::expect_keras_features(*engine);
    return;
  }
  try {
    const auto engine = open_opencv_engine(GetParam(), embedded_weights(), wanted);
    FAIL() << "opened " << engine->description().name;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Error::Kind::kFailed);
    EXPECT_THAT(error.what(), HasSubstr("engine " + std::string(to_string(GetParam())) +
                                        " is not available: " + availability.detail + ": "));
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, CudaEngine, testing::Values(OpencvTarget::kCuda, OpencvTarget::kCudaFp16),
                         [](const testing::TestParamInfo<OpencvTarget>& kind) {
                           return precision_of(kind.param) == Precision::kFp16 ? "fp16" : "fp32";
                         });

}  // namespace
}  // namespace headstart
