// benchmarks/images.cpp: decode and resize, each checked against what TensorFlow computed before it is timed,
// and resample, checked against timm. bytes_per_second counts file bytes for decode and result bytes for
// resize; items are images.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "data/file_bytes.hpp"
#include "data/image/decode.hpp"
#include "data/image/jpeg.hpp"
#include "data/image/resize.hpp"
#include "features/hdf5/hdf5.hpp"

namespace headstart {
namespace {

constexpr int kSize = 224;
constexpr std::size_t kResultFloats = std::size_t{kSize} * kSize * 3;
constexpr double kMaxError = 1e-2;  // of 255: the contract of docs/design.md

std::vector<std::byte> bytes_of(const std::string& file) {
  auto result = read_file(file, kMaxImageFileBytes);
  if (auto* const bytes = std::get_if<std::vector<std::byte>>(&result)) return std::move(*bytes);
  return {};
}

/// An empty image where decoding fails, which no check passes.
RgbImage decoded(std::span<const std::byte> bytes) {
  auto result = decode_image(bytes, {});
  if (auto* const decoded = std::get_if<DecodedImage>(&result)) return std::move(decoded->image);
  return {};
}

/// The first image of tests/golden/features.h5 and what TensorFlow resizes it to.
struct Golden {
  std::vector<std::byte> file;
  RgbImage image;
  std::vector<float> resized;  // [224, 224, 3]
};

const Golden& golden() {
  static const Golden data = [] {
    Golden result;
    result.file =
        bytes_of(HEADSTART_SOURCE_DIR "/samples/openclipart10/birds/acquila_architetto_franc_04.jpg");
    result.image = decoded(result.file);
    const hdf5::File file = hdf5::open_file(HEADSTART_SOURCE_DIR "/tests/golden/features.h5");
    result.resized = hdf5::read<float>(file.id(), "resized_rgb", 6 * kResultFloats);
    result.resized.resize(kResultFloats);
    return result;
  }();
  return data;
}

double max_error(std::span<const float> a, std::span<const float> b) {
  if (a.size() != b.size() || a.empty()) return INFINITY;
  float error = 0.0F;
  for (std::size_t i = 0; i < a.size(); ++i) error = std::max(error, std::abs(a[i] - b[i]));
  return static_cast<double>(error);
}

bool golden_is_right() {
  if (golden().image.pixels.empty()) return false;
  std::vector<float> out(kResultFloats);
  resize(golden().image, {}, out);
  return max_error(out, golden().resized) <= kMaxError;
}

/// What timm's pipeline makes of a small picture, for each of the methods that are timed.
bool resample_is_right() {
  const auto picture = [](const std::string& name) {
    return decoded(bytes_of(HEADSTART_SOURCE_DIR "/tests/data/images/" + name));
  };
  const RgbImage source = picture("resize/picture.ppm");
  for (const Interpolation filter : {Interpolation::kBilinear, Interpolation::kBicubic}) {
    const RgbImage expected = picture("resample/crop_" + std::string(to_string(filter)) + "_40.ppm");
    if (source.pixels.empty() || expected.pixels.empty()) return false;
    std::vector<float> out(expected.pixels.size());
    resize(source, {expected.height, ResizeMode::kShorterSide, filter, 0.875, true}, out);
    if (!std::equal(out.begin(), out.end(), expected.pixels.begin())) return false;
  }
  return true;
}

/// The sample, as large as a photograph usually is.
RgbImage enlarged(int height = 400, int width = 500) {
  const RgbImage& sample = golden().image;
  RgbImage image{height, width, {}};
  image.pixels.reserve(static_cast<std::size_t>(height) * static_cast<std::size_t>(width) * 3);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const int from = y * sample.height / height * sample.width + x * sample.width / width;
      const std::uint8_t* const pixel = sample.pixels.data() + std::ptrdiff_t{from} * 3;
      image.pixels.insert(image.pixels.end(), pixel, pixel + 3);
    }
  }
  return image;
}

/// Mean absolute difference: what quality 90 may cost is a few levels.
double mean_error(const RgbImage& a, const RgbImage& b) {
  if (a.pixels.size() != b.pixels.size() || a.pixels.empty()) return INFINITY;
  double sum = 0.0;
  for (std::size_t i = 0; i < a.pixels.size(); ++i) sum += std::abs(int{a.pixels[i]} - int{b.pixels[i]});
  return sum / static_cast<double>(a.pixels.size());
}

void time_decode(benchmark::State& state, const std::vector<std::byte>& file) {
  for (auto _ : state) benchmark::DoNotOptimize(decode_image(file, {}));
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(file.size()));
}

void time_resize(benchmark::State& state, const RgbImage& image, const ResizeOptions& options) {
  std::vector<float> out(kResultFloats);
  for (auto _ : state) {
    resize(image, options, out);
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(kResultFloats * sizeof(float)));
}

/// 1200 x 900, as Pillow was measured with.
void time_resample(benchmark::State& state, const ResizeOptions& options) {
  if (!resample_is_right()) return state.SkipWithError("result is wrong: not timed");
  time_resize(state, enlarged(900, 1200), options);
}

void decode_sample(benchmark::State& state) {
  if (!golden_is_right()) return state.SkipWithError("result is wrong: not timed");
  time_decode(state, golden().file);
}

void decode_500x400(benchmark::State& state) {
  const RgbImage image = enlarged();
  const std::vector<std::byte> file = encode_jpeg(image, 90);
  if (!golden_is_right() || mean_error(decoded(file), image) > 5.0) {
    return state.SkipWithError("result is wrong: not timed");
  }
  time_decode(state, file);
}

void resize_sample(benchmark::State& state) {
  if (!golden_is_right()) return state.SkipWithError("result is wrong: not timed");
  time_resize(state, golden().image, {});
}

void resize_500x400(benchmark::State& state) {
  if (!golden_is_right()) return state.SkipWithError("result is wrong: not timed");
  time_resize(state, enlarged(), {});
}

void resize_500x400_nearest(benchmark::State& state) {
  if (!golden_is_right()) return state.SkipWithError("result is wrong: not timed");
  time_resize(state, enlarged(), {.interpolation = Interpolation::kNearest});
}

void resample_1200x900_bilinear(benchmark::State& state) { time_resample(state, {.antialias = true}); }

void resample_1200x900_bilinear_crop(benchmark::State& state) {
  time_resample(state, {224, ResizeMode::kShorterSide, Interpolation::kBilinear, 0.875, true});
}

void resample_1200x900_bicubic_crop(benchmark::State& state) {
  time_resample(state, {224, ResizeMode::kShorterSide, Interpolation::kBicubic, 0.875, true});
}

void resample_1200x900_bilinear_crop_plain(benchmark::State& state) {
  time_resample(state, {224, ResizeMode::kShorterSide, Interpolation::kBilinear, 0.875, false});
}

BENCHMARK(decode_sample);
BENCHMARK(decode_500x400);
BENCHMARK(resize_sample);
BENCHMARK(resize_500x400);
BENCHMARK(resize_500x400_nearest);
BENCHMARK(resample_1200x900_bilinear);
BENCHMARK(resample_1200x900_bilinear_crop);
BENCHMARK(resample_1200x900_bicubic_crop);
BENCHMARK(resample_1200x900_bilinear_crop_plain);

}  // namespace
}  // namespace headstart

BENCHMARK_MAIN();
