// tests/features/engines/plain_engine_test.cpp
#include "features/engines/plain_engine.hpp"

#include <gtest/gtest.h>

#include <span>
#include <vector>

#include "features/engines/native_engine.hpp"
#include "features/engines/self_check.hpp"
#include "tests/features/engines/golden_features.hpp"
#include "tests/support/golden.hpp"

namespace headstart {
namespace {

using test::embedded_weights;
using test::golden_input;
using test::relative_l2_error;
using test::run_rows;

TEST(PlainEngine, GivesKerasFeaturesAtEveryTap) {
  const auto engine = open_plain_engine(embedded_weights(), {.taps = vgg16().taps, .threads = 2});
  EXPECT_EQ(engine->batch_size(), 1);
  EXPECT_NO_THROW(check_against_keras(*engine, kCaffePreprocessing));
}

// Pools drop odd rows: 100, 50, 25, 12, 6, 3.
TEST(PlainEngine, AgreesWithNativeAtAnotherSizeAndFromATapOn) {
  EngineOptions wanted{.batch_size = 2, .input_size = 100, .taps = vgg16().taps, .threads = 2};
  const auto input = std::span(golden_input()).first(std::size_t{2} * 100 * 100 * 3);
  const auto native = run_rows(*open_native_engine(embedded_weights(), wanted), input, 2);
  const auto plain = run_rows(*open_plain_engine(embedded_weights(), wanted), input, 2);
  for (std::size_t tap = 0; tap < vgg16().taps.size(); ++tap) {
    EXPECT_LE(relative_l2_error(plain[tap], native[tap]), 1e-5) << to_string(vgg16().taps[tap]);
  }
  wanted.from = Tap{"block3_pool"};
  wanted.taps = {Tap{"block5_pool"}};
  const auto upper = open_plain_engine(embedded_weights(), wanted);
  EXPECT_EQ(run_rows(*upper, plain[2], 2)[0], plain[4]);
  EXPECT_EQ(upper->description().implementation, "direct, from block3_pool");
}

}  // namespace
}  // namespace headstart
