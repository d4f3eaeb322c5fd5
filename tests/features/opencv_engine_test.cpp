// tests/features/opencv_engine_test.cpp
#include "features/opencv_engine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/error.hpp"
#include "features/onednn_engine.hpp"
#include "tests/features/golden_features.hpp"
#include "tests/support/golden.hpp"

namespace headstart {
namespace {

using test::embedded_weights;
using test::golden_input;
using test::run_rows;
using testing::HasSubstr;

constexpr std::size_t kRow = std::size_t{224} * 224 * 3;

EngineOptions options(int batch_size, std::vector<Tap> taps) {
  return {.kind = EngineKind::kOpencv, .batch_size = batch_size, .taps = std::move(taps), .threads = 2};
}

class OpencvEngineBatch : public testing::TestWithParam<int> {};

TEST_P(OpencvEngineBatch, GivesKerasFeaturesAtEveryTap) {
  const auto engine =
      open_opencv_engine(embedded_weights(), options(GetParam(), {kAllTaps.begin(), kAllTaps.end()}));
  ASSERT_EQ(engine->batch_size(), GetParam());
  test::expect_keras_features(*engine);
}

// To the bit, as the same kernels get the same numbers.
TEST_P(OpencvEngineBatch, GivesTheSameFromATapOn) {
  EngineOptions part = options(GetParam(), {kAllTaps.begin(), kAllTaps.end()});
  const auto whole =
      run_rows(*open_opencv_engine(embedded_weights(), part), golden_input(), test::kGoldenRows);
  for (const Tap from : {Tap::kBlock3Pool, Tap::kBlock4Pool}) {
    part.from = from;
    part.taps.assign(kAllTaps.begin() + block_of(from), kAllTaps.end());
    const auto upper = open_opencv_engine(embedded_weights(), part);
    const auto features = test::run_upper(*upper, whole);
    test::expect_keras_features(features);
    EXPECT_EQ(features, whole) << to_string(from);
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, OpencvEngineBatch, testing::Values(1, 4, 8));

TEST(OpencvEngine, ARowDoesNotDependOnItsNeighbours) {
  const auto engine = open_opencv_engine(embedded_weights(), options(2, {Tap::kBlock2Pool}));
  std::vector<float> batch(golden_input().begin(), golden_input().begin() + 2 * kRow);
  const auto before = run_rows(*engine, batch, 2);
  std::fill_n(batch.begin(), kRow, 1e4F);
  const auto after = run_rows(*engine, batch, 2);
  const auto second = [](const std::vector<float>& rows) {
    return std::vector<float>(rows.begin() + static_cast<std::ptrdiff_t>(rows.size() / 2), rows.end());
  };
  EXPECT_EQ(second(before[0]), second(after[0]));
  EXPECT_NE(before[0], after[0]);
}

TEST(OpencvEngine, GivesTapsInTheOrderAskedFor) {
  const auto engine =
      open_opencv_engine(embedded_weights(), options(1, {Tap::kBlock2Pool, Tap::kBlock1Pool}));
  const auto features = run_rows(*engine, std::span(golden_input()).first(kRow), 1);
  EXPECT_EQ(features[0].size(), tap_shape(Tap::kBlock2Pool, 224).size());
  EXPECT_EQ(features[1].size(), tap_shape(Tap::kBlock1Pool, 224).size());
}

/// Sizes whose pools drop odd rows too (100: 50, 25, 12, 6, 3).
class EnginesAtInputSize : public testing::TestWithParam<int> {};

TEST_P(EnginesAtInputSize, Agree) {
  const int size = GetParam();
  const std::size_t row = static_cast<std::size_t>(size) * static_cast<std::size_t>(size) * 3;
  const std::span<const float> input = std::span(golden_input()).first(2 * row);
  EngineOptions wanted{.input_size = size, .taps = {kAllTaps.begin(), kAllTaps.end()}, .threads = 2};
  wanted.kind = EngineKind::kOnednn;
  wanted.batch_size = 2;
  const auto onednn = run_rows(*open_onednn_engine(embedded_weights(), wanted), input, 2);
  wanted.kind = EngineKind::kOpencv;
  wanted.batch_size = 1;
  const auto opencv = run_rows(*open_opencv_engine(embedded_weights(), wanted), input, 2);
  for (std::size_t tap = 0; tap < kAllTaps.size(); ++tap) {
    ASSERT_EQ(onednn[tap].size(), 2 * tap_shape(kAllTaps[tap], size).size());
    EXPECT_LE(test::relative_l2_error(onednn[tap], opencv[tap]), 1e-5) << to_string(kAllTaps[tap]);
  }
  wanted.from = Tap::kBlock3Pool;
  wanted.taps = {Tap::kBlock5Pool};
  const auto upper = run_rows(*open_opencv_engine(embedded_weights(), wanted), onednn[2], 2);
  EXPECT_LE(test::relative_l2_error(upper[0], opencv[4]), 1e-5);
}

INSTANTIATE_TEST_SUITE_P(Sizes, EnginesAtInputSize, testing::Values(32, 64, 100, 127));

TEST(OpencvEngine, SaysThatOpencvWasBuiltWithoutCuda) {
  EXPECT_THAT(missing_for_cuda({.built_with_cuda = false}, EngineKind::kOpencvCuda),
              testing::MatchesRegex("this OpenCV \\([0-9.]+.*\\) was built without CUDA"));
}

TEST(OpencvEngine, TellsAMissingDriverFromAMissingDevice) {
  EXPECT_THAT(missing_for_cuda({.built_with_cuda = true, .devices = -1}, EngineKind::kOpencvCuda),
              HasSubstr("driver is missing or too old"));
  EXPECT_THAT(missing_for_cuda({.built_with_cuda = true, .devices = 0}, EngineKind::kOpencvCuda),
              HasSubstr("no CUDA device"));
}

TEST(OpencvEngine, TellsADnnModuleWithoutCudaFromADeviceWithoutFp16) {
  const CudaFacts facts{.built_with_cuda = true, .devices = 1, .dnn_target_works = false};
  EXPECT_THAT(missing_for_cuda(facts, EngineKind::kOpencvCuda), HasSubstr("OPENCV_DNN_CUDA"));
  EXPECT_THAT(missing_for_cuda(facts, EngineKind::kOpencvCudaFp16), HasSubstr("no 16-bit CUDA target"));
}

TEST(OpencvEngine, MissesNothingWhereCudaWorks) {
  const CudaFacts facts{.built_with_cuda = true, .devices = 1, .dnn_target_works = true};
  EXPECT_EQ(missing_for_cuda(facts, EngineKind::kOpencvCuda), "");
  EXPECT_EQ(missing_for_cuda(facts, EngineKind::kOpencvCudaFp16), "");
}

class CudaEngine : public testing::TestWithParam<EngineKind> {};

/// On a machine with CUDA the engine must work; on any other it must say what is missing and fall back to
/// nothing.
TEST_P(CudaEngine, WorksOrSaysWhatIsMissing) {
  const EngineAvailability availability = probe_opencv(GetParam());
  EngineOptions wanted = options(2, {Tap::kBlock1Pool});
  wanted.kind = GetParam();
  if (availability.available) {
    EXPECT_EQ(open_opencv_engine(embedded_weights(), wanted)->description().name, to_string(GetParam()));
    return;
  }
  try {
    const auto engine = open_opencv_engine(embedded_weights(), wanted);
    FAIL() << "opened " << engine->description().name;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Error::Kind::kFailed);
    EXPECT_THAT(error.what(), HasSubstr("engine " + std::string(to_string(GetParam())) +
                                        " is not available: " + availability.detail + ": "));
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, CudaEngine,
                         testing::Values(EngineKind::kOpencvCuda, EngineKind::kOpencvCudaFp16),
                         [](const testing::TestParamInfo<EngineKind>& kind) {
                           return precision_of(kind.param) == Precision::kFp16 ? "fp16" : "fp32";
                         });

}  // namespace
}  // namespace headstart
