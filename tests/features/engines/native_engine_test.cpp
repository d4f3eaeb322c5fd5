// tests/features/engines/native_engine_test.cpp: on the best instruction set of this CPU, and on every other
// that runs here.
#include "features/engines/native_engine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "data/error.hpp"
#include "features/engines/registry.hpp"
#include "tests/features/engines/golden_features.hpp"
#include "tests/support/golden.hpp"

namespace headstart {
namespace {

using test::embedded_weights;
using test::golden_input;
using test::run_rows;

EngineOptions native_options(int batch_size, std::vector<Tap> taps) {
  return {.batch_size = batch_size, .taps = std::move(taps), .threads = 2};
}
EngineOptions all_taps(int batch_size) { return native_options(batch_size, vgg16().taps); }

class NativeEngineBatch : public testing::TestWithParam<int> {};

TEST_P(NativeEngineBatch, GivesKerasFeaturesAtEveryTap) {
  const auto engine = open_native_engine(embedded_weights(), all_taps(GetParam()));
  ASSERT_EQ(engine->batch_size(), GetParam());
  test::expect_keras_features(*engine);
}

// To the bit, as the same kernels get the same numbers.
TEST_P(NativeEngineBatch, GivesTheSameFromATapOn) {
  EngineOptions part = all_taps(GetParam());
  const auto whole =
      run_rows(*open_native_engine(embedded_weights(), part), golden_input(), test::kGoldenRows);
  for (const Tap& from : {Tap{"block1_pool"}, Tap{"block2_pool"}, Tap{"block4_pool"}}) {
    part.from = from;
    part.taps.assign(vgg16().taps.begin() + block_of(vgg16(), from), vgg16().taps.end());
    const auto upper = open_native_engine(embedded_weights(), part);
    EXPECT_EQ(test::run_upper(*upper, whole), whole) << to_string(from);
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, NativeEngineBatch, testing::Values(1, 4, 8));

TEST(NativeEngine, GivesKerasFeaturesOnEveryInstructionSet) {
  std::vector<std::vector<float>> with_fma;
  for (const winograd::Kernels& kernels : winograd::all_kernels()) {
    if (kernels.target == "SCALAR") continue;  // minutes; convolution_test has it
    SCOPED_TRACE(kernels.target);
    const auto engine = open_native_engine(embedded_weights(), all_taps(2), kernels);
    EXPECT_THAT(engine->description().implementation, testing::HasSubstr(std::string(kernels.target)));
    const auto features = run_rows(*engine, golden_input(), test::kGoldenRows);
    test::expect_keras_features(features);
    if (!kernels.is_fused) continue;
    if (with_fma.empty()) with_fma = features;
    EXPECT_EQ(features, with_fma);
  }
}

// The contract is 1e-5. Pixels of all values in no order are the other extreme of an image.
TEST(NativeEngine, KeepsAMarginOfAThirdBelowTheContract) {
  std::vector<float> input = golden_input();
  std::minstd_rand random(3);
  for (std::size_t i = 0; i < 2 * test::kGoldenRow; ++i)
    input[i] = static_cast<float>(random() % 256) - 110.0F;
  EngineOptions wanted = all_taps(2);
  const auto native = run_rows(*open_native_engine(embedded_weights(), wanted), input, test::kGoldenRows);
  const auto reference =
      run_rows(*open_engine(embedded_weights(), EngineKind::kOnednn, wanted), input, test::kGoldenRows);
  for (std::size_t tap = 0; tap < native.size(); ++tap) {
    const std::size_t size = native[tap].size() / test::kGoldenRows;
    for (std::size_t row = 0; row < test::kGoldenRows; ++row) {
      const float* const expected = reference[tap].data() + row * size;
      const double error = test::relative_l2_error(native[tap].data() + row * size,
                                                   std::vector<float>(expected, expected + size));
      EXPECT_LE(error, 1e-5 / 1.3) << to_string(vgg16().taps[tap]) << " row " << row;
    }
  }
}

TEST(NativeEngine, BitsDependOnNeitherBatchNorThreads) {
  const auto rows = [](int batch_size, int threads) {
    EngineOptions wanted = native_options(batch_size, {Tap{"block5_pool"}});
    wanted.threads = threads;
    return run_rows(*open_native_engine(embedded_weights(), wanted), golden_input(), test::kGoldenRows);
  };
  const auto expected = rows(1, 1);
  EXPECT_EQ(rows(1, 2), expected);
  EXPECT_EQ(rows(6, 1), expected);
  EXPECT_EQ(rows(4, 3), expected);
}

TEST(NativeEngine, SaysHowEachLayerIsComputed) {
  const auto all = open_native_engine(embedded_weights(), native_options(1, {Tap{"block5_pool"}}));
  EXPECT_EQ(all->description().name, "native");
  EXPECT_EQ(all->description().precision, Precision::kFp32);
  EXPECT_EQ(all->description().implementation,
            "winograd F(6x6,3x3) in 9 layers, F(5x5,3x3) in 3, direct in 1 (" +
                std::string(winograd::best_kernels().target) + ")");
}

TEST(NativeEngine, StopsAtTheDeepestTap) {
  const auto engine =
      open_native_engine(embedded_weights(), native_options(1, {Tap{"block2_pool"}, Tap{"block1_pool"}}));
  EXPECT_THAT(engine->description().implementation,
              testing::StartsWith("winograd F(6x6,3x3) in 3 layers, direct in 1 "));
}

TEST(NativeEngine, RunsOnlyWhatIsAboveTheTapItBeginsAt) {
  EngineOptions upper = native_options(1, {Tap{"block5_pool"}});
  upper.from = Tap{"block4_pool"};
  const auto engine = open_native_engine(embedded_weights(), upper);
  EXPECT_THAT(engine->description().implementation, testing::StartsWith("winograd F(5x5,3x3) in 3 layers ("));
  EXPECT_THAT(engine->description().implementation, testing::EndsWith(", from block4_pool"));
}

TEST(NativeEngine, TooLargeABatchIsAnErrorThatSaysWhatToLower) {
  EngineOptions wanted = native_options(2'000'000'000, {Tap{"block5_pool"}});
  wanted.input_size = kMaxInputSize;
  try {
    const auto engine = open_native_engine(embedded_weights(), wanted);
    ADD_FAILURE() << "opened";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("engine native is out of memory"));
    EXPECT_THAT(error.what(), testing::HasSubstr("--engine-batch"));
  }
}

TEST(NativeEngine, IsListedWithItsInstructionSet) {
  const Availability availability = probe_native();
  EXPECT_TRUE(availability.available);
  EXPECT_THAT(availability.detail, testing::EndsWith(std::string(winograd::best_kernels().target)));
}

}  // namespace
}  // namespace headstart
