// features/blocks/native_blocks.cpp: computes each convolution in three passes by Winograd: forward, backward
// to its input, backward to its weights. onednn_blocks.cpp has the formulas.
//
// Weights, velocities and gradients stay in the given layout, HWIO. The transformed weights of the forward
// pass are kept until a step changes them, because validation runs many batches with them. The transformed
// weights of the backward pass are needed once. Layers of the same shape use one memory for them in turn.
//
// Compute limits the speed. VGG block 5 at 224, F(5,3): 0.231 GFLOP an image and pass, a quarter of a direct
// convolution's.
#include "features/blocks/native_blocks.hpp"

#include <fmt/format.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "data/error.hpp"
#include "features/blocks/parameter_array.hpp"
#include "features/engines/engine.hpp"
#include "features/engines/omp_threads.hpp"
#include "features/engines/winograd/convolution.hpp"
#include "features/engines/winograd/map_copy.hpp"
#include "features/engines/winograd/relu_gradient.hpp"
#include "features/engines/winograd/weight_gradient.hpp"
#include "memory/aligned_floats.hpp"
#include "memory/flush_denormals.hpp"

namespace headstart {
namespace {

using winograd::ActivationMap;
using winograd::Convolution;
using winograd::Ending;
using winograd::Kernels;
using winograd::Method;
using winograd::WeightGradient;
using winograd::Workspace;
using winograd::WorkspaceSize;

AlignedFloats zeros(std::size_t count) {
  AlignedFloats floats(count);
  std::ranges::fill(floats.span(), 0.0F);
  return floats;
}

/// A kernel or a bias in training.
struct Parameter {
  AlignedFloats weights;
  AlignedFloats velocity;
  AlignedFloats gradient;
  AlignedFloats reference;  // empty for a bias

  Parameter(std::span<const float> initial, bool kernel)
      : weights(initial.size()),
        velocity(zeros(initial.size())),
        gradient(zeros(initial.size())),
        reference(kernel ? initial.size() : 0) {
    std::ranges::copy(initial, weights.span().begin());
    if (kernel) std::ranges::copy(initial, reference.span().begin());
  }
  [[nodiscard]] ParameterArray array() {
    return {weights.span(), velocity.span(), gradient.span(), reference.span()};
  }
};

/// A convolution with its ReLU, and the pool if it ends a VGG block.
struct TrainedLayer {
  ActivationMap source;  // the input; the backward pass writes the gradient of the same shape
  ActivationMap output;
  std::optional<ActivationMap> pooled;
  ActivationMap gradient;  // dLoss/d(sums), as large as output
  Convolution up;
  WeightGradient to_weights;
  std::optional<std::size_t> back;  // index of the convolution back to the input; none for the first layer
  Parameter kernel;
  Parameter bias;
  AlignedFloats outputs{};
  AlignedFloats pooled_outputs{};

  [[nodiscard]] const ActivationMap& result() const noexcept { return pooled ? *pooled : output; }
  [[nodiscard]] AlignedFloats& results() noexcept { return pooled ? pooled_outputs : outputs; }
};

/// Transformed weights, and the sums of a gradient, are read from memory once for this many tiles.
constexpr std::size_t kTilesAtOnce = 400;

Method choose_training_method(int in_channels, int out_channels, int size, const Kernels& kernels) {
  Method method =
      winograd::choose_method(in_channels, out_channels, size, winograd::this_machine(kernels.tiles));
  const std::size_t across = winograd::tiles_across(size, method.outputs);
  method.images = std::max<std::size_t>(kTilesAtOnce / (across * across), 1);
  return method;
}

std::vector<NetworkLayer> convolved_layers(const Network& network, const BlocksOptions& options) {
  std::vector<NetworkLayer> layers = trained_layers("native", network, options);
  std::erase_if(layers, [](const NetworkLayer& layer) { return layer.kind != LayerKind::kConvolution; });
  for (const NetworkLayer& layer : layers) {  // gradients go the other way
    if (!winograd::can_convolve(layer.in_channels, layer.out_channels) ||
        !winograd::can_convolve(layer.out_channels, layer.in_channels))
      throw cannot_run("backprop native", layer);
  }
  return layers;
}

class NativeBlocks final : public TrainableBlocks {
 public:
  NativeBlocks(const NetworkWeights& weights, const BlocksOptions& options, const Kernels& kernels)
      : batch_size_(options.batch_size),
        kernels_(kernels),
        workspace_(options.threads > 0 ? options.threads : tbb::this_task_arena::max_concurrency()) {
    build(weights, options);
    allocate();
  }

  [[nodiscard]] const std::string& description() const noexcept override { return description_; }

  [[nodiscard]] std::span<const float> forward(std::span<const float> maps) override {
    if (maps.size() != images() * layers_.front().source.shape.size())
      throw std::invalid_argument("blocks: maps of another shape");
    run([&] {
      if (weights_changed_) transform_weights();
      winograd::read_channels_last(maps.data(), images(), layers_.front().source, input_.span().data(),
                                   workspace_);
      for (std::size_t i = 0; i < layers_.size(); ++i) {
        TrainedLayer& layer = layers_[i];
        float* const outputs = layer.outputs.span().data();
        layer.up.run(source_of(i), outputs, workspace_);
        if (!layer.pooled) continue;
        winograd::max_pool(kernels_, outputs, images(), layer.output, *layer.pooled,
                           layer.pooled_outputs.span().data(), workspace_);
      }
      winograd::write_channels_last(layers_.back().results().span().data(), images(), layers_.back().result(),
                                    output_.span().data(), workspace_);
    });
    return output_.span();
  }

  void backward(std::span<const float> gradient) override {
    if (gradient.size() != output_.span().size())
      throw std::invalid_argument("blocks: a gradient of another shape");
    run([&] {
      std::size_t turn = 0;
      winograd::read_channels_last(gradient.data(), images(), layers_.back().result(), buffer(turn),
                                   workspace_);
      for (std::size_t i = layers_.size(); i-- > 0;) {
        TrainedLayer& layer = layers_[i];
        if (layer.pooled) {
          winograd::unpool_and_gate(kernels_, layer.outputs.span().data(), layer.output, buffer(turn),
                                    *layer.pooled, buffer(1 - turn), layer.gradient, image_sums(layer),
                                    layer.bias.gradient.span(), workspace_);
          turn = 1 - turn;
        } else {
          winograd::gate(kernels_, layer.outputs.span().data(), layer.output, buffer(turn), layer.gradient,
                         image_sums(layer), layer.bias.gradient.span(), workspace_);
        }
        layer.to_weights.run(source_of(i), buffer(turn), layer.kernel.gradient.span(), workspace_);
        if (!layer.back) continue;
        Convolution& back = back_[*layer.back];
        back.set_weights_of_way_back(layer.kernel.weights.span(), workspace_);
        back.run(buffer(turn), buffer(1 - turn), workspace_);
        turn = 1 - turn;
      }
    });
  }

  void step(const BlocksStep& step) override {
    const OmpThreads scope(threads());
    const OmpFlushDenormals flush;
    for (TrainedLayer& layer : layers_) {
      update(layer.kernel.array(), step);
      update(layer.bias.array(), step);
    }
    weights_changed_ = true;
  }

  [[nodiscard]] double penalty(const BlocksPenalty& penalty) override {
    const OmpThreads scope(threads());
    double sum = 0.0;
    for (TrainedLayer& layer : layers_) sum += penalty_of(layer.kernel.array(), penalty);
    return sum;
  }

  [[nodiscard]] double gradient_squared_norm(const BlocksPenalty& penalty) override {
    const OmpThreads scope(threads());
    double sum = 0.0;
    for (TrainedLayer& layer : layers_) {
      sum += gradient_squared_norm_of(layer.kernel.array(), penalty);
      sum += gradient_squared_norm_of(layer.bias.array(), penalty);
    }
    return sum;
  }

  [[nodiscard]] std::vector<ConvolutionWeights> weights() override { return copies(&Parameter::weights); }
  [[nodiscard]] std::vector<ConvolutionWeights> velocities() override { return copies(&Parameter::velocity); }
  [[nodiscard]] std::vector<ConvolutionWeights> gradients() override { return copies(&Parameter::gradient); }

  void restore(std::span<const ConvolutionWeights> weights,
               std::span<const ConvolutionWeights> velocities) override {
    for (const std::span<const ConvolutionWeights> given : {weights, velocities}) {
      if (given.size() != layers_.size()) throw std::invalid_argument("blocks: other layers");
      for (std::size_t i = 0; i < layers_.size(); ++i) {
        if (given[i].kernel.size() != layers_[i].kernel.weights.span().size() ||
            given[i].bias.size() != layers_[i].bias.weights.span().size())
          throw std::invalid_argument("blocks: weights of another shape");
      }
    }
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      std::ranges::copy(weights[i].kernel, layers_[i].kernel.weights.span().begin());
      std::ranges::copy(weights[i].bias, layers_[i].bias.weights.span().begin());
      std::ranges::copy(velocities[i].kernel, layers_[i].kernel.velocity.span().begin());
      std::ranges::copy(velocities[i].bias, layers_[i].bias.velocity.span().begin());
    }
    weights_changed_ = true;
  }

 private:
  [[nodiscard]] std::size_t images() const noexcept { return static_cast<std::size_t>(batch_size_); }
  [[nodiscard]] int threads() const noexcept { return static_cast<int>(workspace_.threads()); }
  [[nodiscard]] float* buffer(std::size_t turn) noexcept { return buffers_[turn].span().data(); }
  [[nodiscard]] const float* source_of(std::size_t layer) noexcept {
    return (layer == 0 ? input_ : layers_[layer - 1].results()).span().data();
  }
  [[nodiscard]] std::span<double> image_sums(const TrainedLayer& layer) noexcept {
    return std::span(image_sums_).first(images() * layer.gradient.blocks() * winograd::kBlock);
  }

  template <typename Work>
  void run(const Work& work) {
    workspace_.execute([&] {
      const FlushDenormals flush;
      work();
    });
  }

  void transform_weights() {
    for (TrainedLayer& layer : layers_) {
      layer.up.set_weights(layer.kernel.weights.span(), layer.bias.weights.span(), workspace_);
    }
    weights_changed_ = false;
  }

  void build(const NetworkWeights& weights, const BlocksOptions& options) {
    const Network& network = weights.network;
    const Tap below = tap_below(network, options.first_block);
    const std::vector<NetworkLayer> trained = convolved_layers(network, options);
    const std::size_t first = first_convolution(network, below);
    int size = tap_shape(network, below, options.input_size).height;
    std::map<int, int, std::greater<>> passes;  // by m of F(m,3)
    for (std::size_t i = 0; i < trained.size(); ++i) {
      const NetworkLayer& convolution = trained[i];
      const bool last = i + 1 == trained.size();
      const bool ends_block = is_pooled(network, convolution);
      const int in = convolution.in_channels;
      const int out = convolution.out_channels;
      const Method method = choose_training_method(in, out, size, kernels_);
      const ActivationMap source = ActivationMap::before({size, size, in}, method.outputs);
      const ActivationMap gradient = ActivationMap::before({size, size, out}, method.outputs);
      const ActivationMap output = ends_block ? ActivationMap::plain({size, size, out}) : gradient;
      std::optional<ActivationMap> pooled;
      if (ends_block) {
        const MapShape half{size / 2, size / 2, out};
        pooled =
            last ? ActivationMap::plain(half)
                 : ActivationMap::before(
                       half,
                       choose_training_method(out, trained[i + 1].out_channels, size / 2, kernels_).outputs);
      }
      const ConvolutionWeights& given = weights.layers[first + i];
      layers_.push_back({.source = source,
                         .output = output,
                         .pooled = pooled,
                         .gradient = gradient,
                         .up = {kernels_, method, batch_size_, source, output, Ending::kRelu},
                         .to_weights = {kernels_, method, batch_size_, source, gradient},
                         .back = i > 0 ? std::optional(add_way_back(gradient, source)) : std::nullopt,
                         .kernel = {given.kernel, true},
                         .bias = {given.bias, false}});
      passes[method.outputs] += i > 0 ? 3 : 2;
      if (ends_block) size /= 2;
    }
    std::string methods;
    for (const auto& [outputs, count] : passes) {
      methods += fmt::format("{}F({}x{},3x3) in {}", methods.empty() ? "" : ", ", outputs, outputs, count);
      if (outputs == passes.begin()->first) methods += " passes";
    }
    description_ = fmt::format("native ({}: winograd {}, {})", HEADSTART_VERSION, methods, kernels_.target);
  }

  /// The index of the convolution of these shapes. Adds a new one if there is none.
  std::size_t add_way_back(const ActivationMap& from, const ActivationMap& to) {
    const std::pair shapes{from.shape, to.shape};
    const auto found = std::ranges::find(back_shapes_, shapes);
    if (found != back_shapes_.end()) return static_cast<std::size_t>(found - back_shapes_.begin());
    const Method method =
        choose_training_method(from.shape.channels, to.shape.channels, from.shape.height, kernels_);
    back_.emplace_back(kernels_, method, batch_size_, from, to, Ending::kNone);
    back_shapes_.push_back(shapes);
    return back_.size() - 1;
  }

  void allocate() {
    WorkspaceSize needed;
    std::size_t buffer_size = 0;
    std::size_t channels = 0;
    for (TrainedLayer& layer : layers_) {
      layer.outputs = AlignedFloats(images() * layer.output.image_stride());
      if (layer.pooled) layer.pooled_outputs = AlignedFloats(images() * layer.pooled->image_stride());
      needed.include(layer.up.workspace());
      needed.include(layer.to_weights.workspace());
      buffer_size = std::max({buffer_size, layer.gradient.image_stride(), layer.result().image_stride()});
      channels = std::max(channels, layer.gradient.blocks() * winograd::kBlock);
    }
    for (const Convolution& back : back_) needed.include(back.workspace());
    workspace_.reserve(needed);
    for (AlignedFloats& buffer : buffers_) buffer = AlignedFloats(images() * buffer_size);
    input_ = AlignedFloats(images() * layers_.front().source.image_stride());
    output_ = AlignedFloats(images() * layers_.back().result().shape.size());
    image_sums_.resize(images() * channels);
  }

  std::vector<ConvolutionWeights> copies(AlignedFloats Parameter::*part) {
    std::vector<ConvolutionWeights> result;
    for (TrainedLayer& layer : layers_) {
      const std::span<const float> kernel = (layer.kernel.*part).span();
      const std::span<const float> bias = (layer.bias.*part).span();
      result.push_back({{kernel.begin(), kernel.end()}, {bias.begin(), bias.end()}});
    }
    return result;
  }

  int batch_size_;
  Kernels kernels_;
  Workspace workspace_;
  std::string description_;
  std::vector<TrainedLayer> layers_;
  std::vector<Convolution> back_;
  std::vector<std::pair<MapShape, MapShape>> back_shapes_;  // of each convolution in back_
  bool weights_changed_ = true;                             // since they were transformed
  AlignedFloats input_;
  AlignedFloats output_;
  std::array<AlignedFloats, 2> buffers_;  // for gradients, used in turn
  std::vector<double> image_sums_;
};

}  // namespace

std::unique_ptr<TrainableBlocks> open_native_blocks(const NetworkWeights& weights,
                                                    const BlocksOptions& options, const Kernels& kernels) {
  try {
    return std::make_unique<NativeBlocks>(weights, options, kernels);
  } catch (const std::bad_alloc&) {
    throw Error(Error::Kind::kFailed, "backprop native is out of memory",
                fmt::format("batches of {}, blocks {} to {}", options.batch_size, options.first_block,
                            block_count(weights.network)),
                "lower --batch, --blocks or --input-size");
  }
}

std::unique_ptr<TrainableBlocks> open_native_blocks(const NetworkWeights& weights,
                                                    const BlocksOptions& options) {
  return open_native_blocks(weights, options, winograd::best_kernels());
}

Availability probe_native_blocks() {
  return {true, fmt::format("{}, winograd with {}", HEADSTART_VERSION, winograd::best_kernels().target)};
}

}  // namespace headstart
