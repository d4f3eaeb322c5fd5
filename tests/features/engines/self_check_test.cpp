// tests/features/engines/self_check_test.cpp: an engine that is wrong in any way has to be caught.
#include "features/engines/self_check.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>

#include "data/error.hpp"
#include "features/engines/onednn_engine.hpp"
#include "tests/features/engines/golden_features.hpp"

namespace headstart {
namespace {

using test::embedded_weights;
using testing::HasSubstr;

/// An engine whose outputs are tampered with.
class Tampered final : public Engine {
 public:
  using Tamper = std::function<void(std::span<float> activations, int batch_size)>;

  Tampered(std::unique_ptr<Engine> engine, Tamper tamper)
      : engine_(std::move(engine)), tamper_(std::move(tamper)) {}
  [[nodiscard]] const EngineDescription& description() const noexcept override {
    return engine_->description();
  }
  [[nodiscard]] const Network& network() const noexcept override { return engine_->network(); }
  [[nodiscard]] int batch_size() const noexcept override { return engine_->batch_size(); }
  [[nodiscard]] int input_size() const noexcept override { return engine_->input_size(); }
  [[nodiscard]] std::optional<Tap> from() const noexcept override { return engine_->from(); }
  [[nodiscard]] std::span<const Tap> taps() const noexcept override { return engine_->taps(); }
  void run(std::span<const float> batch, std::span<const std::span<float>> outputs) override {
    engine_->run(batch, outputs);
    tamper_(outputs.back(), batch_size());
  }

 private:
  std::unique_ptr<Engine> engine_;
  Tamper tamper_;
};

EngineOptions check_options(int input_size, std::vector<Tap> taps) {
  return {.batch_size = 2, .input_size = input_size, .taps = std::move(taps), .threads = 2};
}

Tampered tampered(Tampered::Tamper tamper) {
  return {open_onednn_engine(embedded_weights(), check_options(224, {Tap{"block2_pool"}})),
          std::move(tamper)};
}

std::string failure_of(const std::function<void()>& check) {
  try {
    check();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Error::Kind::kFailed);
    return error.what();
  }
  return "passed";
}

std::string keras_check(Engine& engine) {
  return failure_of([&] { check_against_keras(engine, kCaffePreprocessing); });
}

TEST(SelfCheck, TheImageIsTheOneThatKerasWasShown) {
  const std::vector<float> image = self_check_image(224);
  ASSERT_EQ(image.size(), std::size_t{224} * 224 * 3);
  double sum = 0.0;
  for (const float value : image) sum += value;
  EXPECT_EQ(sum, 18818566.0);
  EXPECT_EQ(image[0], 0.0F);
  EXPECT_EQ(image.back(), 154.0F);
  EXPECT_LE(*std::min_element(image.begin(), image.end()), 2.0F);
  EXPECT_GE(*std::max_element(image.begin(), image.end()), 253.0F);
}

TEST(SelfCheck, AnIntactEnginePassesAtEveryTap) {
  const auto engine = open_onednn_engine(embedded_weights(), check_options(224, vgg16().taps));
  EXPECT_EQ(keras_check(*engine), "passed");
}

TEST(SelfCheck, OnlyTheEmbeddedWeightsAt224HaveAGoldenRow) {
  EXPECT_TRUE(has_golden_row(embedded_weights(), 224));
  EXPECT_FALSE(has_golden_row(embedded_weights(), 225));
  NetworkWeights others = embedded_weights();
  others.identity.bytes[0] ^= 1U;
  EXPECT_FALSE(has_golden_row(others, 224));
}

TEST(SelfCheck, CatchesOneWrongWeight) {
  NetworkWeights weights =
      embedded_weights();  // the identity stays, as if memory had gone bad after it was computed
  weights.layers[5].kernel[1000] += 1.0F;
  const auto engine = open_onednn_engine(weights, check_options(224, {Tap{"block3_pool"}}));
  EXPECT_THAT(keras_check(*engine),
              HasSubstr("engine onednn computes wrong features: block3_pool is off by"));
}

TEST(SelfCheck, CatchesASmallScaleError) {
  Tampered engine = tampered([](std::span<float> values, int) {
    for (float& value : values) value *= 1.0001F;
  });
  EXPECT_THAT(keras_check(engine), HasSubstr("block2_pool is off by 1.0e-04 (norm), allowed 1e-05"));
}

TEST(SelfCheck, CatchesPermutedChannels) {
  Tampered engine = tampered([](std::span<float> values, int) {
    for (std::size_t i = 0; i + 1 < values.size(); i += 2) std::swap(values[i], values[i + 1]);
  });
  EXPECT_THAT(keras_check(engine), HasSubstr("(activations)"));
}

TEST(SelfCheck, CatchesNan) {
  Tampered engine =
      tampered([](std::span<float> values, int) { values[7] = std::numeric_limits<float>::quiet_NaN(); });
  EXPECT_THAT(keras_check(engine), HasSubstr("computes wrong features"));
}

TEST(SelfCheck, CatchesAWrongLastRow) {
  Tampered engine = tampered([](std::span<float> values, int batch_size) {
    const std::size_t row = values.size() / static_cast<std::size_t>(batch_size);
    for (float& value : values.last(row)) value = 0.0F;
  });
  EXPECT_THAT(keras_check(engine), HasSubstr("computes wrong features"));
}

TEST(SelfCheck, AnEngineThatBeginsAtATapIsCheckedThere) {
  EngineOptions upper = check_options(224, {Tap{"block5_pool"}});
  upper.from = Tap{"block4_pool"};
  const auto below = open_onednn_engine(embedded_weights(), check_options(224, {Tap{"block4_pool"}}));
  const auto check = [&](Engine& engine) {
    return failure_of([&] { check_against_keras(engine, kCaffePreprocessing, below.get()); });
  };
  const auto intact = open_onednn_engine(embedded_weights(), upper);
  EXPECT_EQ(check(*intact), "passed");
  NetworkWeights weights = embedded_weights();
  weights.layers[11].kernel[1000] += 1.0F;
  EXPECT_THAT(check(*open_onednn_engine(weights, upper)),
              HasSubstr("engine onednn computes wrong features: block5_pool is off by"));
}

TEST(SelfCheck, AnEngineThatBeginsAtATapIsComparedFromTheReferencesTapOn) {
  EngineOptions upper = check_options(48, {Tap{"block4_pool"}, Tap{"block5_pool"}});
  upper.from = Tap{"block2_pool"};
  const auto reference = open_onednn_engine(
      embedded_weights(), check_options(48, {Tap{"block4_pool"}, Tap{"block5_pool"}, Tap{"block2_pool"}}));
  const auto check = [&](Engine& engine) {
    return failure_of([&] { check_against_engine(engine, *reference, kCaffePreprocessing); });
  };
  const auto intact = open_onednn_engine(embedded_weights(), upper);
  EXPECT_EQ(check(*intact), "passed");
  NetworkWeights weights = embedded_weights();
  weights.layers[4].bias[100] += 1000.0F;
  EXPECT_THAT(check(*open_onednn_engine(weights, upper)), HasSubstr("block4_pool is off by"));
}

TEST(SelfCheck, ComparesEnginesWhereNoGoldenRowIsKnown) {
  const auto intact = check_options(48, {Tap{"block2_pool"}, Tap{"block5_pool"}});
  const auto reference = open_onednn_engine(embedded_weights(), intact);
  const auto same = open_onednn_engine(embedded_weights(), intact);
  EXPECT_EQ(failure_of([&] { check_against_engine(*same, *reference, kCaffePreprocessing); }), "passed");

  NetworkWeights weights = embedded_weights();
  weights.layers[12].bias[100] += 1000.0F;
  const auto other = open_onednn_engine(weights, intact);
  EXPECT_THAT(failure_of([&] { check_against_engine(*other, *reference, kCaffePreprocessing); }),
              HasSubstr("block5_pool is off by"));
}

}  // namespace
}  // namespace headstart
