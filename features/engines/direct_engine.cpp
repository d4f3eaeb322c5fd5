// features/engines/direct_engine.cpp: maps are [height, width, channels]; kernels are [3, 3, in, out].
#include "features/engines/direct_engine.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace headstart {
namespace {

struct Map {
  int size = 0;
  int channels = 0;
  std::vector<float> values;

  [[nodiscard]] const float* at(int y, int x) const {
    return values.data() + (static_cast<std::ptrdiff_t>(y) * size + x) * channels;
  }
  [[nodiscard]] float* at(int y, int x) { return const_cast<float*>(std::as_const(*this).at(y, x)); }
};

Map empty_map(int size, int channels) {
  return {size, channels, std::vector<float>(static_cast<std::size_t>(size * size * channels))};
}

/// Each output is the bias and the products of a window, in single precision, with zeros around the map; then
/// ReLU.
Map convolve(const Map& in, const NetworkLayer& layer, const ConvolutionWeights& weights) {
  Map out = empty_map(in.size, layer.out_channels);
  const int border = layer.window / 2;
  for (int y = 0; y < in.size; ++y) {
    for (int x = 0; x < in.size; ++x) {
      float* const sums = out.at(y, x);
      std::copy(weights.bias.begin(), weights.bias.end(), sums);
      for (int i = 0; i < layer.window * layer.window; ++i) {
        const int from_y = y + i / layer.window - border;
        const int from_x = x + i % layer.window - border;
        if (from_y < 0 || from_y >= in.size || from_x < 0 || from_x >= in.size) continue;
        const float* kernel =
            weights.kernel.data() + static_cast<std::ptrdiff_t>(i) * layer.in_channels * layer.out_channels;
        for (int c = 0; c < layer.in_channels; ++c, kernel += layer.out_channels) {
          const float value = in.at(from_y, from_x)[c];
          for (int o = 0; o < layer.out_channels; ++o) sums[o] += value * kernel[o];
        }
      }
      for (int o = 0; o < layer.out_channels; ++o) sums[o] = std::max(sums[o], 0.0F);
    }
  }
  return out;
}

Map pool(const Map& in, int window) {
  Map out = empty_map(in.size / window, in.channels);
  for (int y = 0; y < out.size * window; ++y) {
    for (int x = 0; x < out.size * window; ++x) {
      float* const largest = out.at(y / window, x / window);
      const float* const values = in.at(y, x);
      const bool first = y % window == 0 && x % window == 0;
      for (int c = 0; c < in.channels; ++c) largest[c] = first ? values[c] : std::max(largest[c], values[c]);
    }
  }
  return out;
}

class DirectEngine final : public Engine {
 public:
  DirectEngine(const NetworkWeights& weights, const EngineOptions& options)
      : weights_(weights),
        options_(options),
        layers_(layers_to_run("direct", weights_.network, options_, is_vgg_layer)) {}

  [[nodiscard]] const EngineDescription& description() const noexcept override { return description_; }
  [[nodiscard]] const Network& network() const noexcept override { return weights_.network; }
  [[nodiscard]] int batch_size() const noexcept override { return std::max(options_.batch_size, 1); }
  [[nodiscard]] int input_size() const noexcept override { return options_.input_size; }
  [[nodiscard]] std::optional<Tap> from() const noexcept override { return options_.from; }
  [[nodiscard]] std::span<const Tap> taps() const noexcept override { return options_.taps; }

  void run(std::span<const float> batch, std::span<const std::span<float>> outputs) override {
    const MapShape start = start_shape(network(), options_.from, options_.input_size);
    for (std::size_t image = 0; image < static_cast<std::size_t>(batch_size()); ++image) {
      const auto input = batch.subspan(image * start.size(), start.size());
      Map map{start.height, static_cast<int>(start.channels), {input.begin(), input.end()}};
      std::size_t next = first_convolution(network(), options_.from);
      for (const NetworkLayer& layer : layers_) {
        map = layer.kind == LayerKind::kMaxPool ? pool(map, layer.window)
                                                : convolve(map, layer, weights_.layers[next++]);
        for (std::size_t tap = 0; tap < options_.taps.size(); ++tap) {
          if (options_.taps[tap].name == layer.name)
            std::copy(map.values.begin(), map.values.end(),
                      outputs[tap].subspan(image * map.values.size()).begin());
        }
      }
    }
  }

 private:
  NetworkWeights weights_;
  EngineOptions options_;
  std::span<const NetworkLayer> layers_;
  EngineDescription description_{"direct", HEADSTART_VERSION, "direct in every layer", Precision::kFp32};
};

}  // namespace

std::unique_ptr<Engine> open_direct_engine(const NetworkWeights& weights, const EngineOptions& options) {
  return std::make_unique<DirectEngine>(weights, options);
}

Availability probe_direct() { return {true, "any CPU"}; }

}  // namespace headstart
