// features/engines/native_engine.cpp: a list of steps between two activation buffers that are used in turn.
// Compute limits the speed: 30.7 GFLOP an image as direct convolutions. F(6,3) and F(5,3) multiply only 6.8
// of them at 224 x 224. benchmarks/convolution.cpp compares each layer with the CPU's peak.
#include "features/engines/native_engine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <new>
#include <optional>
#include <string>
#include <utility>

#include "data/error.hpp"
#include "features/engines/winograd/convolution.hpp"
#include "features/engines/winograd/image_convolution.hpp"
#include "features/engines/winograd/map_copy.hpp"

namespace headstart {
namespace {

using winograd::ActivationMap;
using winograd::Convolution;
using winograd::Ending;
using winograd::ImageConvolution;
using winograd::Kernels;
using winograd::Method;
using winograd::Workspace;
using winograd::WorkspaceSize;

/// Eight images at 224 x 224, and the same number of pixels at other sizes.
int default_batch(int input_size) { return std::clamp(8 * 224 * 224 / (input_size * input_size), 1, 32); }

/// A convolution of the network at this input size, and the pool behind it.
struct PlannedLayer {
  const NetworkLayer* convolution = nullptr;
  const NetworkLayer* pool = nullptr;  ///< null: none
  const ConvolutionWeights* weights = nullptr;
  int size = 0;  ///< height and width of its input
  Method method;

  /// Whether the convolution pools, too. F(5,3)'s tiles cut through the windows of the pool, which is then a
  /// separate step.
  [[nodiscard]] bool pools() const noexcept { return pool != nullptr && method.outputs % 2 == 0; }
};

/// The network's layers that run. The first convolution of an image is computed together with the second one,
/// so no other layer may come between.
std::span<const NetworkLayer> layers_of_part(const Network& network, const EngineOptions& options) {
  const NetworkLayer* const first = options.from ? nullptr : network.layers.data();
  const NetworkLayer* const second = options.from ? nullptr : &network.layers.at(1);
  return layers_to_run("native", network, options, [&](const NetworkLayer& layer) {
    const bool is_convolution = layer.kind == LayerKind::kConvolution;
    // An image's three channels have a routine of their own.
    const int in_channels = &layer == first ? 16 : layer.in_channels;
    return is_vgg_layer(layer) && (&layer != second || is_convolution) &&
           (!is_convolution || winograd::can_convolve(in_channels, layer.out_channels));
  });
}

/// All convolutions from `from` to the last tap, except the first one of an image.
std::vector<PlannedLayer> plan_layers(const Network& network, const NetworkWeights& weights,
                                      const EngineOptions& options, const winograd::Machine& machine) {
  int size = start_shape(network, options.from, options.input_size).height;
  std::size_t next = first_convolution(network, options.from);
  std::vector<PlannedLayer> layers;
  for (const NetworkLayer& layer : layers_of_part(network, options)) {
    if (layer.kind == LayerKind::kMaxPool) {
      layers.back().pool = &layer;
      size /= 2;
    } else if (const std::size_t i = next++; i > 0) {
      layers.push_back({&layer, nullptr, &weights.layers[i], size,
                        winograd::choose_method(layer.in_channels, layer.out_channels, size, machine)});
    }
  }
  return layers;
}

/// "winograd F(6x6,3x3) in 9 layers, F(5x5,3x3) in 3, direct in 1 (AVX2)"
std::string describe(const std::vector<PlannedLayer>& layers, bool from_image, const Kernels& kernels) {
  std::map<int, int, std::greater<>> counts;
  for (const PlannedLayer& layer : layers) ++counts[layer.method.outputs];
  std::string text;
  for (const auto& [outputs, count] : counts) {
    text += fmt::format("{}F({}x{},3x3) in {}", text.empty() ? "winograd " : ", ", outputs, outputs, count);
    if (outputs == counts.begin()->first) text += count == 1 ? " layer" : " layers";
  }
  if (from_image) text += ", direct in 1";
  return fmt::format("{} ({})", text, kernels.target);
}

class NativeEngine final : public Engine {
 public:
  NativeEngine(const NetworkWeights& weights, const EngineOptions& options, const Kernels& kernels)
      : batch_size_(options.batch_size > 0 ? options.batch_size : default_batch(options.input_size)),
        input_size_(options.input_size),
        network_(weights.network),
        taps_(options.taps),
        from_(options.from),
        kernels_(kernels),
        workspace_(options.threads > 0 ? options.threads : tbb::this_task_arena::max_concurrency()) {
    const std::vector<PlannedLayer> layers =
        plan_layers(network_, weights, options, winograd::this_machine(kernels.tiles));
    build(layers, weights);
    workspace_.reserve(needed_);
    for (std::size_t i = 0; i < buffers_.size(); ++i) buffers_[i] = AlignedFloats(buffer_sizes_[i]);
    description_ = {.name = "native",
                    .version = HEADSTART_VERSION,
                    .implementation = describe(layers, !from_, kernels_) + from_tap(from_),
                    .precision = Precision::kFp32};
  }

  [[nodiscard]] const EngineDescription& description() const noexcept override { return description_; }
  [[nodiscard]] const Network& network() const noexcept override { return network_; }
  [[nodiscard]] int batch_size() const noexcept override { return batch_size_; }
  [[nodiscard]] int input_size() const noexcept override { return input_size_; }
  [[nodiscard]] std::optional<Tap> from() const noexcept override { return from_; }
  [[nodiscard]] std::span<const Tap> taps() const noexcept override { return taps_; }

  void run(std::span<const float> batch, std::span<const std::span<float>> outputs) override {
    workspace_.execute([&] {
      for (const Step& step : steps_) step(batch.data(), outputs);
    });
  }

 private:
  using Step = std::function<void(const float* batch, std::span<const std::span<float>> outputs)>;

  [[nodiscard]] std::size_t images() const noexcept { return static_cast<std::size_t>(batch_size_); }

  void build(const std::vector<PlannedLayer>& layers, const NetworkWeights& weights) {
    ActivationMap map = map_before(layers, 0, layers[0].convolution->in_channels, layers[0].size);
    if (from_) add_input(map);
    for (std::size_t i = 0; i < layers.size(); ++i) {
      const PlannedLayer& layer = layers[i];
      const int channels = layer.convolution->out_channels;
      const ActivationMap next =
          map_before(layers, i + 1, channels, layer.pool != nullptr ? layer.size / 2 : layer.size);
      const ActivationMap convolved = layer.pool != nullptr && !layer.pools()
                                          ? ActivationMap::plain({layer.size, layer.size, channels})
                                          : next;
      Convolution convolution(kernels_, layer.method, batch_size_, map, convolved,
                              layer.pools() ? Ending::kReluAndPool : Ending::kRelu);
      workspace_.execute(
          [&] { convolution.set_weights(layer.weights->kernel, layer.weights->bias, workspace_); });
      if (i == 0 && !from_) {
        add_image_convolution(
            {kernels_, weights.layers[0], batch_size_, input_size_, std::move(convolution), map}, convolved);
      } else {
        add_convolution(std::move(convolution), convolved);
      }
      if (layer.pool != nullptr && !layer.pools()) add_pool(convolved, next);
      if (layer.pool != nullptr) add_taps(Tap{layer.pool->name}, next);
      map = next;
    }
  }

  /// The map that layer `i` reads. Behind the last layer, the map that is copied out.
  static ActivationMap map_before(const std::vector<PlannedLayer>& layers, std::size_t i, int channels,
                                  int size) {
    const MapShape shape{size, size, channels};
    return i < layers.size() ? ActivationMap::before(shape, layers[i].method.outputs)
                             : ActivationMap::plain(shape);
  }

  /// The buffer with the current activations.
  [[nodiscard]] float* buffer(std::size_t turn) noexcept { return buffers_[turn].span().data(); }

  /// Makes the other buffer current, with room for `map`.
  std::size_t next_turn(const ActivationMap& map) {
    turn_ = 1 - turn_;
    buffer_sizes_[turn_] = std::max(buffer_sizes_[turn_], images() * map.image_stride());
    return turn_;
  }

  void add_input(const ActivationMap& map) {
    steps_.emplace_back([this, map, to = next_turn(map)](const float* batch, auto) {
      winograd::read_channels_last(batch, images(), map, buffer(to), workspace_);
    });
  }

  void add_image_convolution(ImageConvolution both, const ActivationMap& map) {
    needed_.include(both.workspace());
    image_convolution_.emplace(std::move(both));
    steps_.emplace_back([this, to = next_turn(map)](const float* batch, auto) {
      image_convolution_->run(batch, buffer(to), workspace_);
    });
  }

  void add_convolution(Convolution convolution, const ActivationMap& map) {
    needed_.include(convolution.workspace());
    convolutions_.push_back(std::move(convolution));
    const std::size_t from = turn_;
    steps_.emplace_back([this, i = convolutions_.size() - 1, from, to = next_turn(map)](const float*, auto) {
      convolutions_[i].run(buffer(from), buffer(to), workspace_);
    });
  }

  void add_pool(const ActivationMap& map, const ActivationMap& pooled) {
    const std::size_t from = turn_;
    steps_.emplace_back([this, map, pooled, from, to = next_turn(pooled)](const float*, auto) {
      winograd::max_pool(kernels_, buffer(from), images(), map, pooled, buffer(to), workspace_);
    });
  }

  /// Copies the activations out for each requested `tap`.
  void add_taps(const Tap& tap, const ActivationMap& map) {
    for (std::size_t i = 0; i < taps_.size(); ++i) {
      if (taps_[i] != tap) continue;
      steps_.emplace_back(
          [this, map, i, from = turn_](const float*, std::span<const std::span<float>> outputs) {
            winograd::write_channels_last(buffer(from), images(), map, outputs[i].data(), workspace_);
          });
    }
  }

  int batch_size_;
  int input_size_;
  Network network_;
  std::vector<Tap> taps_;
  std::optional<Tap> from_;
  EngineDescription description_;
  Kernels kernels_;
  Workspace workspace_;
  WorkspaceSize needed_;
  std::array<AlignedFloats, 2> buffers_;
  std::array<std::size_t, 2> buffer_sizes_{};
  std::size_t turn_ = 0;
  std::optional<ImageConvolution> image_convolution_;
  std::vector<Convolution> convolutions_;
  std::vector<Step> steps_;
};

}  // namespace

std::unique_ptr<Engine> open_native_engine(const NetworkWeights& weights, const EngineOptions& options,
                                           const Kernels& kernels) {
  try {
    return std::make_unique<NativeEngine>(weights, options, kernels);
  } catch (const std::bad_alloc&) {
    throw Error(Error::Kind::kFailed, "engine native is out of memory",
                fmt::format("input size {}", options.input_size), "lower --engine-batch or --input-size");
  }
}

std::unique_ptr<Engine> open_native_engine(const NetworkWeights& weights, const EngineOptions& options) {
  return open_native_engine(weights, options, winograd::best_kernels());
}

Availability probe_native() {
  return {.available = true,
          .detail = fmt::format("{}, winograd with {}", HEADSTART_VERSION, winograd::best_kernels().target)};
}

}  // namespace headstart
