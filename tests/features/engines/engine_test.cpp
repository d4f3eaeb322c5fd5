// tests/features/engines/engine_test.cpp
#include "features/engines/registry.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>
#include <numeric>
#include <string>
#include <thread>
#include <utility>

#include "data/error.hpp"
#include "features/engines/native_engine.hpp"
#include "features/engines/onednn_engine.hpp"
#include "features/engines/plain_engine.hpp"
#include "memory/enum_names.hpp"
#include "tests/features/engines/golden_features.hpp"
#include "tests/features/network/made_up_weights.hpp"

namespace headstart {
namespace {

using test::embedded_weights;
using test::golden_input;
using test::run_rows;

constexpr auto kAllKinds = named_values<EngineKind>();

const std::vector<Tap> kTop{Tap{"block5_pool"}};

bool has_cuda() {
  const auto engines = list_engines();
  return std::any_of(engines.begin(), engines.end(), [](const EngineAvailability& engine) {
    return engine.kind == EngineKind::kOpencvCuda && engine.available;
  });
}

Error::Kind error_kind(const EngineOptions& options) {
  try {
    const auto engine = open_engine(embedded_weights(), EngineKind::kAuto, options);
  } catch (const Error& error) {
    return error.kind();
  }
  ADD_FAILURE() << "opened";
  return Error::Kind::kData;
}

TEST(Engine, NamesAreReadBackAsTheKindTheyName) {
  for (const EngineKind kind : kAllKinds) EXPECT_EQ(parse_name<EngineKind>(to_string(kind)), kind);
  EXPECT_EQ(to_string(EngineKind::kOpencvCudaFp16), "opencv-cuda-fp16");
  EXPECT_EQ(parse_name<EngineKind>("cuda"), std::nullopt);
  EXPECT_EQ(parse_name<EngineKind>(""), std::nullopt);
}

TEST(Engine, OnlyFp16KindsAreOfFp16Precision) {
  for (const EngineKind kind : kAllKinds) {
    EXPECT_EQ(precision_of(kind) == Precision::kFp16, kind == EngineKind::kOpencvCudaFp16) << to_string(kind);
  }
  EXPECT_EQ(to_string(Precision::kFp32), "fp32");
  EXPECT_EQ(to_string(Precision::kFp16), "fp16");
}

TEST(Engine, AutoIsAGpuWhereThereIsOneElseNative) {
  EXPECT_EQ(choose_engine(), has_cuda() ? EngineKind::kOpencvCuda : EngineKind::kNative);
  const auto engine = open_engine(embedded_weights(), EngineKind::kAuto,
                                  {.batch_size = 1, .input_size = 32, .taps = kTop, .threads = 2});
  EXPECT_EQ(engine->description().name, to_string(choose_engine()));
}

TEST(Engine, EveryKindIsListedOnceWithADetail) {
  const auto engines = list_engines();
  EXPECT_EQ(engines.size(), kAllKinds.size() - 1);
  for (const EngineKind kind : kAllKinds) {
    const auto listed =
        std::count_if(engines.begin(), engines.end(), [&](const auto& e) { return e.kind == kind; });
    EXPECT_EQ(listed, kind == EngineKind::kAuto ? 0 : 1) << to_string(kind);
  }
  for (const EngineAvailability& engine : engines)
    EXPECT_FALSE(engine.detail.empty()) << to_string(engine.kind);
}

TEST(Engine, OpensAtTheGoldenSizeAndAtOthers) {
  for (const int size : {32, 224}) {
    for (const EngineKind kind : {EngineKind::kNative, EngineKind::kOnednn, EngineKind::kOpencv}) {
      const auto engine = open_engine(embedded_weights(), kind,
                                      {.batch_size = 2,
                                       .input_size = size,
                                       .taps = {Tap{"block1_pool"}, Tap{"block3_pool"}},
                                       .threads = 2});
      EXPECT_EQ(engine->input_size(), size);
      EXPECT_EQ(engine->batch_size(), 2);
      EXPECT_THAT(engine->taps(), testing::ElementsAre(Tap{"block1_pool"}, Tap{"block3_pool"}));
    }
  }
}

TEST(Engine, OpensFromATapAtTheGoldenSizeAndAtOthers) {
  for (const int size : {32, 224}) {
    for (const EngineKind kind : {EngineKind::kNative, EngineKind::kOnednn, EngineKind::kOpencv}) {
      const auto engine = open_engine(embedded_weights(), kind,
                                      {.batch_size = 2,
                                       .input_size = size,
                                       .taps = {Tap{"block4_pool"}, Tap{"block3_pool"}},
                                       .from = Tap{"block2_pool"},
                                       .threads = 2});
      EXPECT_EQ(engine->input_size(), size);
      EXPECT_EQ(engine->from(), Tap{"block2_pool"});
      EXPECT_THAT(engine->taps(), testing::ElementsAre(Tap{"block4_pool"}, Tap{"block3_pool"}));
      EXPECT_THAT(engine->description().implementation, testing::EndsWith(", from block2_pool"));
    }
  }
}

TEST(Engine, OptionsThatMakeNoSenseAreUsageErrors) {
  EXPECT_EQ(error_kind({.input_size = kMinInputSize - 1, .taps = kTop}), Error::Kind::kUsage);
  EXPECT_EQ(error_kind({.input_size = kMaxInputSize + 1, .taps = kTop}), Error::Kind::kUsage);
  EXPECT_EQ(error_kind({.batch_size = -1, .taps = kTop}), Error::Kind::kUsage);
  EXPECT_EQ(error_kind({.taps = {}}), Error::Kind::kUsage);
  EXPECT_EQ(error_kind({.taps = {Tap{"block5_pool"}, Tap{"block4_pool"}}, .from = Tap{"block4_pool"}}),
            Error::Kind::kUsage);
}

/// Three VGG blocks of one convolution each; the second one's kernel is 5x5.
/// @param width  how many channels each layer has
NetworkWeights strange_weights(int width = 64) {
  Network network{.name = "strange", .title = "Strange"};
  int channels = 3;
  for (int block = 1; block <= 3; ++block) {
    const std::string name = "block" + std::to_string(block);
    network.layers.push_back({.name = name + "_conv1",
                              .kind = LayerKind::kConvolution,
                              .block = block,
                              .in_channels = std::exchange(channels, width),
                              .out_channels = width,
                              .window = block == 2 ? 5 : 3});
    network.layers.push_back({.name = name + "_pool",
                              .kind = LayerKind::kMaxPool,
                              .block = block,
                              .in_channels = width,
                              .out_channels = width,
                              .window = 2});
    network.taps.push_back({name + "_pool"});
  }
  NetworkWeights weights = empty_weights(network);
  for (std::size_t i = 0; i < weights.layers.size(); ++i) {
    const std::size_t window = i == 1 ? 5 : 3;
    const auto out = static_cast<std::size_t>(width);
    weights.layers[i].kernel.assign(window * window * (i == 0 ? 3 : out) * out, 0.01F);
    weights.layers[i].bias.assign(out, 0.5F);
  }
  return weights;
}

std::string refusal_of(const std::function<void()>& open) {
  try {
    open();
  } catch (const Error& error) {
    return error.what();
  }
  return "opened";
}

TEST(Engine, NamesALayerThatItCannotRun) {
  const NetworkWeights strange = strange_weights();
  const EngineOptions whole{.batch_size = 1, .input_size = 32, .taps = {strange.network.taps.back()}};
  EngineOptions upper = whole;
  upper.from = Tap{"block2_pool"};
  EXPECT_THAT(
      refusal_of([&] { (void)open_onednn_engine(strange, whole); }),
      testing::HasSubstr("engine onednn can't run a layer of this network: block2_conv1, a convolution "
                         "of 5x5 from 64 to 64 channels"));
  EXPECT_THAT(refusal_of([&] { (void)open_plain_engine(strange, whole); }),
              testing::HasSubstr("engine plain can't run a layer of this network: block2_conv1"));
  EXPECT_THAT(refusal_of([&] { (void)open_native_engine(strange, whole); }),
              testing::HasSubstr("engine native can't run a layer of this network: block1_pool, a max-pool"))
      << "it computes the first two convolutions together";
  EXPECT_THAT(refusal_of([&] { (void)open_native_engine(strange_weights(8), upper); }),
              testing::HasSubstr("engine native can't run a layer of this network: block3_conv1"));
  EXPECT_EQ(refusal_of([&] { (void)open_native_engine(strange, upper); }), "opened");
  EXPECT_EQ(refusal_of([&] { (void)open_onednn_engine(strange, upper); }), "opened");
}

TEST(Engine, AllRunVgg19AndAgreeAtEveryTap) {
  const NetworkWeights& weights = test::made_up_weights(*find_network("vgg19"));
  for (const EngineKind kind : {EngineKind::kNative, EngineKind::kOnednn, EngineKind::kOpencv}) {
    // Opening compares each tap with another engine's.
    const auto engine = open_engine(
        weights, kind, {.batch_size = 1, .input_size = 64, .taps = weights.network.taps, .threads = 2});
    EXPECT_EQ(engine->network(), weights.network);
    EXPECT_EQ(engine->taps().size(), 5U);
  }
}

// What the engines with batches of their own have in common.

using OpenEngine = std::unique_ptr<Engine> (*)(const NetworkWeights&, const EngineOptions&);
class CpuEngine : public testing::TestWithParam<OpenEngine> {};

EngineOptions options(int batch_size, std::vector<Tap> taps) {
  return {.batch_size = batch_size, .taps = std::move(taps), .threads = 2};
}

constexpr std::size_t kRow = std::size_t{224} * 224 * 3;

TEST_P(CpuEngine, GivesTapsInTheOrderAskedFor) {
  const auto one = GetParam()(embedded_weights(), options(1, {Tap{"block2_pool"}}));
  const auto two = GetParam()(embedded_weights(), options(1, {Tap{"block2_pool"}, Tap{"block1_pool"}}));
  const std::span<const float> image(golden_input().data(), kRow);
  const auto alone = run_rows(*one, image, 1);
  const auto both = run_rows(*two, image, 1);
  EXPECT_EQ(alone[0], both[0]);
  EXPECT_EQ(both[1].size(), tap_shape(vgg16(), Tap{"block1_pool"}, 224).size());
}

TEST_P(CpuEngine, ARowDoesNotDependOnItsNeighbours) {
  const auto engine = GetParam()(embedded_weights(), options(3, {Tap{"block3_pool"}}));
  std::vector<float> batch(golden_input().begin(), golden_input().begin() + 3 * kRow);
  const auto before = run_rows(*engine, batch, 3);
  std::fill_n(batch.begin(), kRow, 1e4F);
  std::copy_n(golden_input().begin() + 4 * kRow, kRow, batch.begin() + 2 * kRow);
  const auto after = run_rows(*engine, batch, 3);
  const std::size_t size = before[0].size() / 3;
  const auto middle = [size](const std::vector<float>& rows) {
    return std::vector<float>(rows.data() + size, rows.data() + 2 * size);
  };
  EXPECT_EQ(middle(before[0]), middle(after[0]));
  EXPECT_GT(std::accumulate(before[0].begin(), before[0].end(), 0.0), 0.0);
  EXPECT_NE(before[0], after[0]);
}

TEST_P(CpuEngine, GivesTheSameRowsFromAnyThread) {
  const auto engine = GetParam()(embedded_weights(), options(1, {Tap{"block3_pool"}}));
  const std::span<const float> image(golden_input().data(), kRow);
  const auto here = run_rows(*engine, image, 1);
  std::vector<std::vector<float>> there;
  std::thread([&] { there = run_rows(*engine, image, 1); }).join();
  EXPECT_EQ(here, there);
}

TEST_P(CpuEngine, ChoosesSmallerBatchesForLargerImages) {
  EngineOptions wanted{.taps = {Tap{"block1_pool"}}};
  const auto batch_at = [&](int size) {
    wanted.input_size = size;
    return GetParam()(embedded_weights(), wanted)->batch_size();
  };
  EXPECT_EQ(batch_at(224), 8);
  EXPECT_EQ(batch_at(448), 2);
  EXPECT_EQ(batch_at(32), 32);
}

std::string kind_name(const testing::TestParamInfo<OpenEngine>& kind) {
  constexpr std::array kNames{"Native", "Onednn", "DirectOnednn"};
  return kNames.at(kind.index);
}

INSTANTIATE_TEST_SUITE_P(Kinds, CpuEngine,
                         testing::Values<OpenEngine>(open_native_engine, open_onednn_engine,
                                                     open_direct_onednn_engine),
                         kind_name);

}  // namespace
}  // namespace headstart
