// tests/features/engine_test.cpp
#include "features/engine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "data/error.hpp"
#include "tests/features/golden_features.hpp"

namespace headstart {
namespace {

using test::embedded_weights;

constexpr std::array<EngineKind, 6> kAllKinds{EngineKind::kAuto,       EngineKind::kNative,
                                              EngineKind::kOnednn,     EngineKind::kOpencv,
                                              EngineKind::kOpencvCuda, EngineKind::kOpencvCudaFp16};

bool has_cuda() {
  const auto engines = list_engines();
  return std::any_of(engines.begin(), engines.end(), [](const EngineAvailability& engine) {
    return engine.kind == EngineKind::kOpencvCuda && engine.available;
  });
}

Error::Kind error_kind(const EngineOptions& options) {
  try {
    const auto engine = open_engine(embedded_weights(), options);
  } catch (const Error& error) {
    return error.kind();
  }
  ADD_FAILURE() << "opened";
  return Error::Kind::kData;
}

TEST(Engine, NamesAreReadBackAsTheKindTheyName) {
  for (const EngineKind kind : kAllKinds) EXPECT_EQ(parse_engine_kind(to_string(kind)), kind);
  EXPECT_EQ(to_string(EngineKind::kOpencvCudaFp16), "opencv-cuda-fp16");
  EXPECT_EQ(parse_engine_kind("cuda"), std::nullopt);
  EXPECT_EQ(parse_engine_kind(""), std::nullopt);
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
  const auto engine = open_engine(embedded_weights(), {.batch_size = 1, .input_size = 32, .threads = 2});
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
      const auto engine = open_engine(embedded_weights(), {.kind = kind,
                                                           .batch_size = 2,
                                                           .input_size = size,
                                                           .taps = {Tap::kBlock1Pool, Tap::kBlock3Pool},
                                                           .threads = 2});
      EXPECT_EQ(engine->input_size(), size);
      EXPECT_EQ(engine->batch_size(), 2);
      EXPECT_THAT(engine->taps(), testing::ElementsAre(Tap::kBlock1Pool, Tap::kBlock3Pool));
    }
  }
}

TEST(Engine, OpensFromATapAtTheGoldenSizeAndAtOthers) {
  for (const int size : {32, 224}) {
    for (const EngineKind kind : {EngineKind::kNative, EngineKind::kOnednn, EngineKind::kOpencv}) {
      const auto engine = open_engine(embedded_weights(), {.kind = kind,
                                                           .batch_size = 2,
                                                           .input_size = size,
                                                           .taps = {Tap::kBlock4Pool, Tap::kBlock3Pool},
                                                           .from = Tap::kBlock2Pool,
                                                           .threads = 2});
      EXPECT_EQ(engine->input_size(), size);
      EXPECT_EQ(engine->from(), Tap::kBlock2Pool);
      EXPECT_THAT(engine->taps(), testing::ElementsAre(Tap::kBlock4Pool, Tap::kBlock3Pool));
      EXPECT_THAT(engine->description().implementation, testing::EndsWith(", from block2_pool"));
    }
  }
}

TEST(Engine, OptionsThatMakeNoSenseAreUsageErrors) {
  EXPECT_EQ(error_kind({.input_size = kMinInputSize - 1}), Error::Kind::kUsage);
  EXPECT_EQ(error_kind({.input_size = kMaxInputSize + 1}), Error::Kind::kUsage);
  EXPECT_EQ(error_kind({.batch_size = -1}), Error::Kind::kUsage);
  EXPECT_EQ(error_kind({.taps = {}}), Error::Kind::kUsage);
  EXPECT_EQ(error_kind({.taps = {Tap::kBlock5Pool, Tap::kBlock4Pool}, .from = Tap::kBlock4Pool}),
            Error::Kind::kUsage);
}

}  // namespace
}  // namespace headstart
