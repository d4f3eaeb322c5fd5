// tests/features/engines/onednn_engine_test.cpp: run a second time by ctest with oneDNN held to AVX2, where
// it has no Winograd.
#include "features/engines/onednn_engine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <omp.h>

#include <string>

#include "data/error.hpp"
#include "tests/features/engines/golden_features.hpp"
#include "tests/support/golden.hpp"

namespace headstart {
namespace {

using test::embedded_weights;
using test::golden_input;
using test::run_rows;

EngineOptions onednn_options(int batch_size, std::vector<Tap> taps) {
  return {.batch_size = batch_size, .taps = std::move(taps), .threads = 2};
}

/// The layers that an implementation string counts: "winograd F(4x4,3x3) in 12 layers, direct in 1 (...)"
/// is 13.
int layers_counted(const std::string& implementation) {
  const std::string marker = " in ";
  int layers = 0;
  for (auto at = implementation.find(marker); at != std::string::npos; at = implementation.find(marker, at)) {
    at += marker.size();
    layers += std::stoi(implementation.substr(at));
  }
  return layers;
}

class OnednnEngineBatch : public testing::TestWithParam<int> {};

TEST_P(OnednnEngineBatch, GivesKerasFeaturesAtEveryTap) {
  const auto engine = open_onednn_engine(embedded_weights(), onednn_options(GetParam(), vgg16().taps));
  ASSERT_EQ(engine->batch_size(), GetParam());
  test::expect_keras_features(*engine);
}

// To the bit, as the same kernels get the same numbers.
TEST_P(OnednnEngineBatch, GivesTheSameFromATapOn) {
  EngineOptions part = onednn_options(GetParam(), vgg16().taps);
  const auto whole =
      run_rows(*open_onednn_engine(embedded_weights(), part), golden_input(), test::kGoldenRows);
  for (const Tap& from : {Tap{"block2_pool"}, Tap{"block4_pool"}}) {
    part.from = from;
    part.taps.assign(vgg16().taps.begin() + block_of(vgg16(), from), vgg16().taps.end());
    const auto upper = open_onednn_engine(embedded_weights(), part);
    const auto features = test::run_upper(*upper, whole);
    test::expect_keras_features(features);
    EXPECT_EQ(features, whole) << to_string(from);
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, OnednnEngineBatch, testing::Values(1, 4, 8));

TEST(OnednnEngine, SaysHowEachLayerIsComputed) {
  const auto all = open_onednn_engine(embedded_weights(), onednn_options(1, {Tap{"block5_pool"}}));
  EXPECT_EQ(all->description().name, "onednn");
  EXPECT_THAT(all->description().version, testing::StartsWith("oneDNN "));
  EXPECT_EQ(all->description().precision, Precision::kFp32);
  EXPECT_EQ(layers_counted(all->description().implementation), 13) << all->description().implementation;
  EXPECT_THAT(all->description().implementation, testing::Not(testing::HasSubstr("reference")));
}

TEST(OnednnEngine, StopsAtTheDeepestTap) {
  const auto engine =
      open_onednn_engine(embedded_weights(), onednn_options(1, {Tap{"block2_pool"}, Tap{"block1_pool"}}));
  EXPECT_EQ(layers_counted(engine->description().implementation), 4) << engine->description().implementation;
}

TEST(OnednnEngine, RunsOnlyWhatIsAboveTheTapItBeginsAt) {
  EngineOptions upper = onednn_options(1, {Tap{"block5_pool"}});
  upper.from = Tap{"block4_pool"};
  const auto engine = open_onednn_engine(embedded_weights(), upper);
  EXPECT_EQ(layers_counted(engine->description().implementation), 3) << engine->description().implementation;
  EXPECT_THAT(engine->description().implementation, testing::EndsWith(", from block4_pool"));
}

TEST(OnednnEngine, PutsTheCallersThreadCountBack) {
  omp_set_num_threads(3);
  auto one_thread = onednn_options(1, {Tap{"block1_pool"}});
  one_thread.threads = 1;
  const auto engine = open_onednn_engine(embedded_weights(), one_thread);
  EXPECT_EQ(omp_get_max_threads(), 3);
  EXPECT_EQ(run_rows(*engine, std::span(golden_input()).first(test::kGoldenRow), 1).size(), 1U);
  EXPECT_EQ(omp_get_max_threads(), 3);
}

TEST(OnednnEngine, ThreadCountDoesNotChangeTheFeatures) {
  auto one_thread = onednn_options(1, {Tap{"block3_pool"}});
  one_thread.threads = 1;
  const std::span<const float> image(golden_input().data(), test::kGoldenRow);
  const auto one = run_rows(*open_onednn_engine(embedded_weights(), one_thread), image, 1);
  const auto two =
      run_rows(*open_onednn_engine(embedded_weights(), onednn_options(1, {Tap{"block3_pool"}})), image, 1);
  EXPECT_LE(test::relative_l2_error(one[0], two[0]), 1e-6);
}

TEST(OnednnEngine, IsListedWithItsVersion) {
  const Availability availability = probe_onednn();
  EXPECT_TRUE(availability.available);
  EXPECT_THAT(availability.detail, testing::StartsWith("oneDNN "));
}

}  // namespace
}  // namespace headstart
