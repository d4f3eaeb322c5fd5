// tests/features/extraction/extractor_fixture.hpp: the extractor around a fake engine, so that what is tested
// is order, fate and memory, not convolutions (and so that ThreadSanitizer sees no uninstrumented OpenMP).
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "data/error.hpp"
#include "features/extraction/extractor.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart {

inline constexpr int kSize = 32;
inline constexpr std::size_t kRowSize = std::size_t{kSize} * kSize * 3;

/// The one number that the fake network makes of an image: of its first pixel.
inline float fake_number(std::span<const float> row) { return row[0] + 2.0F * row[1] + 3.0F * row[2]; }

/// What the fake network gives for that number: the number, plus the place times the block, at every fifth
/// place. So the first of a tap's activations is all that a higher tap depends on.
inline std::vector<float> fake_activations_of(float number, const Tap& tap) {
  std::vector<float> activations(tap_shape(vgg16(), tap, kSize).size());
  for (std::size_t i = 0; i < activations.size(); i += 5)
    activations[i] = number + static_cast<float>(i * static_cast<std::size_t>(block_of(vgg16(), tap)));
  return activations;
}

inline std::vector<float> fake_activations(std::span<const float> row, const Tap& tap) {
  return fake_activations_of(fake_number(row), tap);
}

/// What a fake engine did, and what it is to do; outlives it.
struct Script {
  int batch_size = 4;
  int fail_at_run = -1;         ///< throws in that run, counted from 0
  std::optional<float> poison;  ///< rows whose first number (blue of an image, preprocessed) is this overflow
  float overflow = std::numeric_limits<float>::infinity();  ///< what they become
  std::function<void(int run)> hook;                        ///< called at the start of each run

  int opened = 0;
  std::vector<std::optional<Tap>> began_at;  ///< of those opened
  int runs = 0;
  std::vector<std::vector<float>> rows;  ///< everything that went through, padding included
};

class FakeEngine final : public Engine {
 public:
  FakeEngine(Script& script, std::vector<Tap> taps, std::optional<Tap> from)
      : script_(script), taps_(std::move(taps)), from_(std::move(from)) {
    ++script_.opened;
    script_.began_at.push_back(from_);
    description_.implementation += from_tap(from_);
  }
  [[nodiscard]] const EngineDescription& description() const noexcept override { return description_; }
  [[nodiscard]] const Network& network() const noexcept override { return vgg16(); }
  [[nodiscard]] int batch_size() const noexcept override { return script_.batch_size; }
  [[nodiscard]] int input_size() const noexcept override { return kSize; }
  [[nodiscard]] std::optional<Tap> from() const noexcept override { return from_; }
  [[nodiscard]] std::span<const Tap> taps() const noexcept override { return taps_; }

  void run(std::span<const float> batch, std::span<const std::span<float>> outputs) override {
    const int run = script_.runs++;
    if (script_.hook) script_.hook(run);
    if (run == script_.fail_at_run)
      throw Error(Error::Kind::kFailed, "the fake engine failed", "run", "none");
    const std::size_t row_size = start_shape(vgg16(), from_, kSize).size();
    for (std::size_t row = 0; row < static_cast<std::size_t>(script_.batch_size); ++row) {
      const std::span<const float> input = batch.subspan(row * row_size, row_size);
      script_.rows.emplace_back(input.begin(), input.end());
      for (std::size_t tap = 0; tap < taps_.size(); ++tap) {
        std::vector<float> activations =
            fake_activations_of(from_ ? input[0] : fake_number(input), taps_[tap]);
        if (script_.poison && input[0] == *script_.poison) {
          activations.back() = script_.overflow;
        }
        std::copy(activations.begin(), activations.end(),
                  outputs[tap].begin() + static_cast<std::ptrdiff_t>(row * activations.size()));
      }
    }
  }

 private:
  Script& script_;
  std::vector<Tap> taps_;
  std::optional<Tap> from_;
  EngineDescription description_{.name = "fake", .version = "1", .implementation = "arithmetic"};
};

/// A folder of images and a cache.
class ExtractorTest : public testing::Test {
 protected:
  /// A one-coloured image; another `colour` is other bytes and another first pixel.
  std::filesystem::path image(const std::string& name, int colour) { return file(name, ppm(colour)); }

  std::filesystem::path file(const std::string& name, const std::string& bytes) {
    std::filesystem::path path = folder_ / name;
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }

  static std::string ppm(int colour) {
    std::string bytes = "P6 4 4 255\n";
    for (int pixel = 0; pixel < 16; ++pixel) {
      bytes += static_cast<char>(7);
      bytes += static_cast<char>(colour >> 8);
      bytes += static_cast<char>(colour % 256);
    }
    return bytes;
  }

  /// The preprocessed first pixel's channels of ppm(colour): BGR minus the mean.
  static std::vector<float> row_of(int colour) {
    std::vector<float> row(kRowSize);
    for (std::size_t i = 0; i < kRowSize; i += 3) {
      row[i] = 7.0F;
      row[i + 1] = static_cast<float>(colour >> 8);
      row[i + 2] = static_cast<float>(colour % 256);
    }
    preprocess(kCaffePreprocessing, row);
    return row;
  }

  std::vector<std::filesystem::path> images(int count) {
    std::vector<std::filesystem::path> files;
    files.reserve(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) files.push_back(image("image" + std::to_string(1000 + i) + ".ppm", i));
    return files;
  }

  FeatureCache cache(const Tap& tap = Tap{"block5_pool"}, FeatureType storage = FeatureType::kFloat32) {
    ExtractorConfiguration configuration;
    configuration.resize.size = kSize;
    configuration.storage = storage;
    return {folder_ / "cache", configuration, tap,
            [this](const std::string& line) { warnings_.push_back(line); }};
  }

  static ExtractionOptions options(int threads = 2) {
    ExtractionOptions result;
    result.resize.size = kSize;
    result.threads = threads;
    return result;
  }

  static std::vector<ImageSource> sources_of(std::span<const std::filesystem::path> files) {
    std::vector<ImageSource> sources;
    sources.reserve(files.size());
    for (const std::filesystem::path& file : files) sources.push_back({file});
    return sources;
  }

  Extraction run(std::span<const std::filesystem::path> files, const ExtractionOptions& options,
                 std::vector<FeatureCache*> caches) {
    return run_sources(sources_of(files), options, std::move(caches));
  }

  Extraction run_sources(std::span<const ImageSource> sources, const ExtractionOptions& options,
                         std::vector<FeatureCache*> caches) {
    return extract(
        sources, options,
        [&](const std::optional<Tap>& from) {
          std::vector<Tap> taps;
          for (const FeatureCache* cache : caches) {
            if (!from || is_above(vgg16(), cache->tap(), *from)) taps.push_back(cache->tap());
          }
          return std::make_unique<FakeEngine>(script_, std::move(taps), from);
        },
        caches);
  }

  static std::vector<ImageStatus> statuses(const Extraction& extraction) {
    std::vector<ImageStatus> result;
    for (const ImageResult& image : extraction.images) result.push_back(image.status);
    return result;
  }

  static std::vector<float> cached_row(FeatureCache& cache, const ImageResult& image) {
    const std::vector<Sha256> keys{image.content.value()};
    const SparseRows rows = cache.read(keys);
    std::vector<float> dense(static_cast<std::size_t>(rows.columns));
    rows.expand(0, dense);
    return dense;
  }

  test::ScratchFolder folder_;
  Script script_;
  std::vector<std::string> warnings_;
};

inline constexpr auto kExtracted = ImageStatus::kExtracted;
inline constexpr auto kCached = ImageStatus::kCached;
inline constexpr auto kCopy = ImageStatus::kCopy;
inline constexpr auto kRejected = ImageStatus::kRejected;
inline constexpr auto kSkipped = ImageStatus::kSkipped;

}  // namespace headstart
