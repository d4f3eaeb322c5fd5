// features/engines/plain_engine.cpp: activations stay in the order of the taps. Half of them and more are
// zeros behind a ReLU, and cost nothing.
#include "features/engines/plain_engine.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "features/engines/omp_threads.hpp"

namespace headstart {
namespace {

/// One image's activations: [size, size, channels].
struct PlainMap {
  int size = 0;
  int channels = 0;
  std::vector<float> values{};

  [[nodiscard]] std::size_t at(int y, int x) const noexcept {
    return (static_cast<std::size_t>(y) * static_cast<std::size_t>(size) + static_cast<std::size_t>(x)) *
           static_cast<std::size_t>(channels);
  }
};

PlainMap empty_map(int size, int channels) {
  PlainMap map{size, channels};
  map.values.resize(map.at(size, 0));
  return map;
}

/// Adds to `sums` what the position (y, x) of `map` gives through one tap of the kernel, [in, out].
void add_products(const PlainMap& map, int y, int x, const float* kernel, std::vector<double>& sums) {
  if (y < 0 || x < 0 || y >= map.size || x >= map.size) return;
  const float* const from = map.values.data() + map.at(y, x);
  for (int channel = 0; channel < map.channels; ++channel, kernel += sums.size()) {
    const auto value = static_cast<double>(from[channel]);
    if (value == 0.0) continue;
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += value * static_cast<double>(kernel[i]);
  }
}

PlainMap convolved(const PlainMap& map, const ConvolutionWeights& weights) {
  PlainMap result = empty_map(map.size, static_cast<int>(weights.bias.size()));
  const std::size_t kernel_step = static_cast<std::size_t>(map.channels) * weights.bias.size();
#pragma omp parallel for schedule(dynamic)
  for (int y = 0; y < map.size; ++y) {
    std::vector<double> sums;
    for (int x = 0; x < map.size; ++x) {
      sums.assign(weights.bias.begin(), weights.bias.end());
      const float* kernel = weights.kernel.data();
      for (int row = y - 1; row <= y + 1; ++row) {
        for (int column = x - 1; column <= x + 1; ++column, kernel += kernel_step)
          add_products(map, row, column, kernel, sums);
      }
      std::transform(sums.begin(), sums.end(),
                     result.values.begin() + static_cast<std::ptrdiff_t>(result.at(y, x)),
                     [](double sum) { return static_cast<float>(std::max(sum, 0.0)); });
    }
  }
  return result;
}

PlainMap pooled(const PlainMap& map) {
  PlainMap result = empty_map(map.size / 2, map.channels);
  for (int y = 0; y < result.size; ++y) {
    for (int x = 0; x < result.size; ++x) {
      for (int channel = 0; channel < map.channels; ++channel) {
        const auto value = [&](int row, int column) {
          return map.values[map.at(2 * y + row, 2 * x + column) + static_cast<std::size_t>(channel)];
        };
        result.values[result.at(y, x) + static_cast<std::size_t>(channel)] =
            std::max({value(0, 0), value(0, 1), value(1, 0), value(1, 1)});
      }
    }
  }
  return result;
}

class PlainEngine final : public Engine {
 public:
  PlainEngine(const NetworkWeights& weights, const EngineOptions& options)
      : weights_(weights), options_(options), batch_size_(std::max(options.batch_size, 1)) {
    const auto layers = layers_to_run("plain", weights_.network, options_, is_vgg_layer);
    layers_.assign(layers.begin(), layers.end());
    description_.name = "plain";
    description_.version = HEADSTART_VERSION;
    description_.implementation = "direct" + from_tap(options_.from);
  }

  [[nodiscard]] const EngineDescription& description() const noexcept override { return description_; }
  [[nodiscard]] const Network& network() const noexcept override { return weights_.network; }
  [[nodiscard]] int batch_size() const noexcept override { return batch_size_; }
  [[nodiscard]] int input_size() const noexcept override { return options_.input_size; }
  [[nodiscard]] std::optional<Tap> from() const noexcept override { return options_.from; }
  [[nodiscard]] std::span<const Tap> taps() const noexcept override { return options_.taps; }

  void run(std::span<const float> batch, std::span<const std::span<float>> outputs) override {
    const OmpThreads scope(options_.threads > 0 ? options_.threads : omp_get_max_threads());
    const MapShape start = start_shape(network(), from(), input_size());
    for (std::size_t row = 0; row < static_cast<std::size_t>(batch_size_); ++row) {
      PlainMap map = empty_map(start.height, start.channels);
      std::copy_n(batch.begin() + static_cast<std::ptrdiff_t>(row * start.size()), start.size(),
                  map.values.begin());
      std::size_t next = first_convolution(network(), from());
      for (const NetworkLayer& layer : layers_) {
        map = layer.kind == LayerKind::kMaxPool ? pooled(map) : convolved(map, weights_.layers[next++]);
        for (std::size_t i = 0; i < outputs.size(); ++i) {
          if (options_.taps[i].name != layer.name) continue;
          std::copy(map.values.begin(), map.values.end(),
                    outputs[i].begin() + static_cast<std::ptrdiff_t>(row * map.values.size()));
        }
      }
    }
  }

 private:
  NetworkWeights weights_;
  EngineOptions options_;
  int batch_size_;
  std::vector<NetworkLayer> layers_;
  EngineDescription description_;
};

}  // namespace

std::unique_ptr<Engine> open_plain_engine(const NetworkWeights& weights, const EngineOptions& options) {
  return std::make_unique<PlainEngine>(weights, options);
}

}  // namespace headstart
