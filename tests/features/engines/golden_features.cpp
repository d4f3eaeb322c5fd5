// tests/features/engines/golden_features.cpp
#include "tests/features/engines/golden_features.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "tests/support/golden.hpp"

namespace headstart::test {
namespace {

constexpr double kTolerance = 1e-5;
constexpr double kFp16Tolerance = 1e-2;
constexpr const char* kFile = "features.h5";

double norm(std::span<const float> values) {
  double sum = 0.0;
  for (const float value : values) sum += static_cast<double>(value) * static_cast<double>(value);
  return std::sqrt(sum);
}

double share_of_nonzeros(const std::vector<float>& values) {
  const auto zeros = std::count(values.begin(), values.end(), 0.0F);
  return 1.0 - static_cast<double>(zeros) / static_cast<double>(values.size());
}

/// [:, :2, :3, :8] of [rows, h, w, c].
std::vector<float> corners(const std::vector<float>& activations, MapShape shape) {
  const auto width = static_cast<std::size_t>(shape.width);
  const auto channels = static_cast<std::size_t>(shape.channels);
  std::vector<float> result;
  for (std::size_t row = 0; row < kGoldenRows; ++row) {
    for (std::size_t y = 0; y < 2; ++y) {
      for (std::size_t x = 0; x < 3; ++x) {
        const auto* pixel = activations.data() + row * shape.size() + (y * width + x) * channels;
        result.insert(result.end(), pixel, pixel + 8);
      }
    }
  }
  return result;
}

}  // namespace

const NetworkWeights& embedded_weights() {
  static const NetworkWeights weights =
      read_keras_weights(vgg16(), source_path("models/vgg16_imagenet_notop.h5"));
  return weights;
}

const std::vector<float>& golden_input() {
  static const std::vector<float> input = [] {
    std::vector<float> pixels = golden_array(kFile, "/resized_rgb").floats();
    preprocess(kCaffePreprocessing, pixels);
    return pixels;
  }();
  return input;
}

std::vector<std::vector<float>> run_rows(Engine& engine, std::span<const float> input, std::size_t rows) {
  const auto batch_size = static_cast<std::size_t>(engine.batch_size());
  const std::size_t row_size = input.size() / rows;
  std::vector<std::vector<float>> result(engine.taps().size());
  std::vector<std::vector<float>> outputs;
  for (const Tap& tap : engine.taps())
    outputs.emplace_back(batch_size * tap_shape(engine.network(), tap, engine.input_size()).size());
  for (std::size_t first = 0; first < rows; first += batch_size) {
    const std::size_t used = std::min(batch_size, rows - first);
    std::vector<float> batch(batch_size * row_size);
    std::copy_n(input.data() + first * row_size, used * row_size, batch.data());
    std::vector<std::span<float>> spans(outputs.begin(), outputs.end());
    engine.run(batch, spans);
    for (std::size_t tap = 0; tap < outputs.size(); ++tap) {
      const std::size_t size = outputs[tap].size() / batch_size;
      result[tap].insert(result[tap].end(), outputs[tap].data(), outputs[tap].data() + used * size);
    }
  }
  return result;
}

std::vector<std::vector<float>> run_upper(Engine& upper, std::vector<std::vector<float>> features) {
  const std::size_t from = position_of(upper.network(), upper.from().value());
  features.resize(from + 1);
  for (std::vector<float>& tap : run_rows(upper, features[from], kGoldenRows))
    features.push_back(std::move(tap));
  return features;
}

void expect_keras_features(Engine& engine) {
  ASSERT_TRUE(
      std::equal(vgg16().taps.begin(), vgg16().taps.end(), engine.taps().begin(), engine.taps().end()));
  expect_keras_features(run_rows(engine, golden_input(), kGoldenRows), engine.description().precision);
}

void expect_keras_features(const std::vector<std::vector<float>>& features, Precision precision) {
  const bool fp32 = precision == Precision::kFp32;
  const double tolerance = fp32 ? kTolerance : kFp16Tolerance;
  ASSERT_EQ(features.size(), vgg16().taps.size());
  for (const Tap& tap : vgg16().taps) {
    const std::string name(to_string(tap));
    const std::vector<float>& values = features[position_of(vgg16(), tap)];
    const MapShape shape = tap_shape(vgg16(), tap, 224);
    ASSERT_EQ(values.size(), kGoldenRows * shape.size());
    const std::vector<float> corner = golden_array(kFile, "/corner/" + name).floats();
    if (tap == Tap{"block5_pool"} && fp32) {  // Keras has zeros only there
      EXPECT_EQ(corners(values, shape), corner);
    } else if (tap != Tap{"block5_pool"}) {
      EXPECT_LE(relative_l2_error(corners(values, shape), corner), tolerance) << name;
    }
    const std::vector<double> norms = golden_array(kFile, "/norms/" + name).values;
    ASSERT_EQ(norms.size(), kGoldenRows);
    for (std::size_t row = 0; row < kGoldenRows; ++row) {
      ASSERT_GT(norms[row], 100.0);
      EXPECT_NEAR(norm(std::span(values).subspan(row * shape.size(), shape.size())) / norms[row], 1.0,
                  tolerance)
          << name << " row " << row;
    }
  }
  const std::vector<float> block5 = golden_array(kFile, "/block5_pool").floats();
  EXPECT_LE(relative_l2_error(features[4], block5), tolerance);
  EXPECT_NEAR(share_of_nonzeros(features[4]), share_of_nonzeros(block5), 10 * tolerance);
  EXPECT_GT(share_of_nonzeros(block5), 0.02);
  EXPECT_LT(share_of_nonzeros(block5), 0.3);
  const std::vector<float> block4 = golden_array(kFile, "/block4_pool").floats();
  ASSERT_EQ(block4.size(), 2 * tap_shape(vgg16(), Tap{"block4_pool"}, 224).size());
  EXPECT_LE(relative_l2_error(features[3].data(), block4), tolerance);
}

}  // namespace headstart::test
