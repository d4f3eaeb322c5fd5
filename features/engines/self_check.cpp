// features/engines/self_check.cpp
#include "features/engines/self_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "data/error.hpp"
#include "features/engines/self_check_expected.hpp"

namespace headstart {
namespace {

constexpr int kGoldenInputSize = 224;

double tolerance_of(Precision precision) { return precision == Precision::kFp32 ? 1e-5 : 1e-2; }

Error self_check_failed(const EngineDescription& engine, const Tap& tap, std::string_view what, double error,
                        double allowed) {
  return {Error::Kind::kFailed, fmt::format("engine {} computes wrong features", engine.name),
          fmt::format("{} is off by {:.1e} ({}), allowed {:.0e}, with {} ({})", to_string(tap), error, what,
                      allowed, engine.version, engine.implementation),
          "choose another --engine"};
}

/// The activations of each tap.
using Activations = std::vector<std::vector<float>>;

/// The first and the last row of a batch. These two inputs are equal; the rows between them differ.
struct OuterRows {
  Activations first;
  Activations last;
};

std::vector<float> check_image(const Engine& engine, const Preprocessing& preprocessing) {
  std::vector<float> image = self_check_image(engine.input_size());
  preprocess(preprocessing, image);
  return image;
}

/// @param outer  the first and last row of the input; the rows between are the same values in reverse
OuterRows run_rows(Engine& engine, const std::vector<float>& outer) {
  const std::vector<float> inner(outer.rbegin(), outer.rend());
  const auto rows = static_cast<std::size_t>(engine.batch_size());
  std::vector<float> batch;
  batch.reserve(rows * outer.size());
  for (std::size_t row = 0; row < rows; ++row) {
    const std::vector<float>& source = row == 0 || row + 1 == rows ? outer : inner;
    batch.insert(batch.end(), source.begin(), source.end());
  }

  Activations outputs;
  std::vector<std::span<float>> spans;
  outputs.reserve(engine.taps().size());
  for (const Tap& tap : engine.taps()) {
    spans.emplace_back(
        outputs.emplace_back(rows * tap_shape(engine.network(), tap, engine.input_size()).size()));
  }
  engine.run(batch, spans);

  OuterRows result;
  for (const std::vector<float>& output : outputs) {
    const auto size = static_cast<std::ptrdiff_t>(output.size() / rows);
    result.first.emplace_back(output.begin(), output.begin() + size);
    result.last.emplace_back(output.end() - size, output.end());
  }
  return result;
}

double norm(std::span<const float> values) {
  double sum = 0.0;
  for (const float value : values) sum += static_cast<double>(value) * static_cast<double>(value);
  return std::sqrt(sum);
}

/// Throws unless difference <= allowed * scale; also throws for NaN.
void require(const Engine& engine, const Tap& tap, std::string_view what, double difference, double scale,
             double allowed) {
  if (difference <= allowed * scale) return;
  throw self_check_failed(engine.description(), tap, what, difference / scale, allowed);
}

void compare_with_keras(const Engine& engine, const Tap& tap, std::span<const float> row) {
  const ExpectedActivations& expected = kSelfCheckExpected.at(position_of(engine.network(), tap));
  const double allowed = tolerance_of(engine.description().precision);
  require(engine, tap, "norm", std::abs(norm(row) - expected.norm), expected.norm, allowed);
  std::array<float, std::tuple_size_v<decltype(expected.values)>> difference{};
  for (std::size_t i = 0; i < difference.size(); ++i) {
    difference[i] = row[static_cast<std::size_t>(expected.indices[i])] - expected.values[i];
  }
  require(engine, tap, "activations", norm(difference), norm(expected.values), allowed);
}

void compare_with_row(const Engine& engine, const Tap& tap, std::span<const float> row,
                      std::span<const float> expected) {
  std::vector<float> difference(row.begin(), row.end());
  for (std::size_t i = 0; i < difference.size(); ++i) difference[i] -= expected[i];
  require(engine, tap, "activations", norm(difference), norm(expected),
          2.0 * tolerance_of(engine.description().precision));
}

}  // namespace

std::vector<float> self_check_image(int input_size) {
  const auto size = static_cast<std::uint32_t>(input_size);
  std::vector<float> image;
  image.reserve(std::size_t{3} * size * size);
  for (std::uint32_t y = 0; y < size; ++y) {
    for (std::uint32_t x = 0; x < size; ++x) {
      for (std::uint32_t channel = 0; channel < 3; ++channel) {
        const std::uint32_t phase = (2 * x + y + 85 * channel) % 512;
        const std::uint32_t smooth = phase < 256 ? phase : 511 - phase;
        std::uint32_t noise = ((y * size + x) * 3 + channel) * 2654435761U;
        noise ^= noise >> 15U;
        noise *= 2246822519U;
        noise ^= noise >> 13U;
        const std::uint32_t level = (3 * smooth + (noise & 255U)) / 4;
        image.push_back(static_cast<float>(level));
      }
    }
  }
  return image;
}

bool has_golden_row(const NetworkWeights& weights, int input_size) {
  return input_size == kGoldenInputSize && weights.preprocessing == kCaffePreprocessing &&
         weights.identity.hex() == kEmbeddedWeightsIdentity;
}

void check_against_keras(Engine& engine, const Preprocessing& preprocessing, Engine* below) {
  std::vector<float> start = check_image(engine, preprocessing);
  if (engine.from()) start = run_rows(*below, start).first.front();
  const OuterRows rows = run_rows(engine, start);
  for (std::size_t i = 0; i < engine.taps().size(); ++i) {
    compare_with_keras(engine, engine.taps()[i], rows.first[i]);
    compare_with_keras(engine, engine.taps()[i], rows.last[i]);
  }
}

void check_against_engine(Engine& engine, Engine& reference, const Preprocessing& preprocessing) {
  const std::vector<float> image = check_image(engine, preprocessing);
  const OuterRows expected = run_rows(reference, image);
  const OuterRows rows = run_rows(engine, engine.from() ? expected.first.back() : image);
  for (std::size_t i = 0; i < engine.taps().size(); ++i) {
    compare_with_row(engine, engine.taps()[i], rows.first[i], expected.first[i]);
    compare_with_row(engine, engine.taps()[i], rows.last[i], expected.first[i]);
  }
}

}  // namespace headstart
