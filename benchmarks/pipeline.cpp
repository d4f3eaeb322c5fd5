// benchmarks/pipeline.cpp: benchmark_pipeline [IMAGES] [THREADS]: stage one around a network that takes no
// time: reading, hashing, decoding and resizing 500 x 400 JPEGs, encoding and writing segments. How fast a
// GPU could be fed. The images are made first; each row is checked afterwards.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <limits>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "data/image/jpeg.hpp"
#include "features/cache/cache.hpp"
#include "features/extraction/extractor.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr int kWidth = 500;
constexpr int kHeight = 400;
constexpr std::size_t kActivations = 25'088;
constexpr std::size_t kSpacing = 13;  // one activation of so many is not zero, as on real images

/// Knows each row by its first pixel, which is copied into the activations.
class NoNetwork final : public Engine {
 public:
  [[nodiscard]] const EngineDescription& description() const noexcept override { return description_; }
  [[nodiscard]] const Network& network() const noexcept override { return vgg16(); }
  [[nodiscard]] int batch_size() const noexcept override { return 16; }
  [[nodiscard]] int input_size() const noexcept override { return 224; }
  [[nodiscard]] std::optional<Tap> from() const noexcept override { return std::nullopt; }
  [[nodiscard]] std::span<const Tap> taps() const noexcept override { return taps_; }
  void run(std::span<const float> batch, std::span<const std::span<float>> outputs) override {
    const std::size_t row_size = batch.size() / 16;
    for (std::size_t row = 0; row < 16; ++row) {
      const std::span<float> output = outputs[0].subspan(row * kActivations, kActivations);
      for (std::size_t i = 0; i < kActivations; i += kSpacing) output[i] = 1000.0F + batch[row * row_size];
    }
  }

 private:
  EngineDescription description_{.name = "none", .version = "1", .implementation = "nothing"};
  std::vector<Tap> taps_{Tap{"block5_pool"}};
};

/// Smooth shapes under some noise, so that the JPEG is as large as a photograph's (about 60 kB).
std::vector<std::uint8_t> made_up_pixels(int image) {
  std::minstd_rand random(static_cast<std::uint32_t>(image + 1));
  std::vector<std::uint8_t> pixels;
  pixels.reserve(std::size_t{3} * kWidth * kHeight);
  const double tilt = 0.01 + 0.0001 * image;
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x < kWidth; ++x) {
      for (int channel = 0; channel < 3; ++channel) {
        const double wave = std::sin(tilt * x + channel) * std::cos(0.02 * y);
        pixels.push_back(
            static_cast<std::uint8_t>(128.0 + 90.0 * wave + static_cast<double>(random() % 24U)));
      }
    }
  }
  return pixels;
}

std::uintmax_t write_jpeg(const fs::path& file, int image) {
  const std::vector<std::byte> jpeg = encode_jpeg({kHeight, kWidth, made_up_pixels(image)}, 90);
  std::ofstream(file, std::ios::binary)
      .write(reinterpret_cast<const char*>(jpeg.data()), static_cast<std::streamsize>(jpeg.size()));
  return jpeg.size();
}

struct Measured {
  double seconds = 0.0;
  std::size_t extracted = 0;
  std::size_t cached = 0;
};

Measured run(const std::vector<ImageSource>& files, const fs::path& cache_folder, int threads) {
  const Clock::time_point start = Clock::now();
  FileDigests digests(cache_folder / "stat", true);
  FeatureCache cache(cache_folder, {}, Tap{"block5_pool"},
                     [](const std::string& line) { throw std::runtime_error(line); });
  std::vector<FeatureCache*> caches{&cache};
  ExtractionOptions options;
  options.threads = threads;
  options.digests = &digests;
  const Extraction done = extract(
      files, options, [](const std::optional<Tap>&) { return std::make_unique<NoNetwork>(); }, caches);
  static_cast<void>(digests.save());
  cache.save_index();
  Measured measured{std::chrono::duration<double>(Clock::now() - start).count()};
  std::vector<Sha256> keys;
  for (const ImageResult& image : done.images) {
    measured.extracted += image.status == ImageStatus::kExtracted ? 1 : 0;
    measured.cached += image.status == ImageStatus::kCached ? 1 : 0;
    keys.push_back(image.content.value());
  }
  const SparseRows rows = cache.read(keys);
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    if (rows.row_values(i).size() != (kActivations + kSpacing - 1) / kSpacing)
      throw std::runtime_error("a row is wrong");
  }
  return measured;
}

void benchmark(int images, int threads) {
  const fs::path folder = fs::temp_directory_path() / fmt::format("headstart-pipeline-{}", getpid());
  fs::create_directories(folder / "images");
  std::vector<ImageSource> files;
  std::uintmax_t bytes = 0;
  for (int image = 0; image < images; ++image) {
    files.push_back({folder / "images" / fmt::format("{:06}.jpg", image)});
    bytes += write_jpeg(files.back().file, image);
  }
  fmt::print("{} JPEGs of {} x {}, {} bytes each on average; {} threads\n", images, kWidth, kHeight,
             bytes / static_cast<std::uintmax_t>(images), threads);
  double fastest = std::numeric_limits<double>::infinity();
  constexpr int kRounds = 3;
  for (int round = 0; round < kRounds; ++round) {
    fs::remove_all(folder / "cache");
    const Measured cold = run(files, folder / "cache", threads);
    if (cold.extracted != files.size()) throw std::runtime_error("not every image was extracted");
    fastest = std::min(fastest, cold.seconds);
  }
  sleep(2);  // younger files are not trusted
  static_cast<void>(run(files, folder / "cache", threads));
  const Measured warm = run(files, folder / "cache", threads);
  if (warm.cached != files.size()) throw std::runtime_error("not every image was cached");
  fmt::print("cold: {:.0f} images/s (fastest of {})\nwarm: {:.0f} images/s\n", images / fastest, kRounds,
             images / warm.seconds);
  fs::remove_all(folder);
}

}  // namespace
}  // namespace headstart

int main(int argc, char** argv) {
  try {
    headstart::benchmark(argc > 1 ? std::stoi(argv[1]) : 2000, argc > 2 ? std::stoi(argv[2]) : 2);
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "benchmark_pipeline: {}\n", error.what());
    return 1;
  }
}
