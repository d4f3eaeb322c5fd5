// features/blocks/onednn_blocks.cpp: two lists of primitives, forward and backward.
//
// With Y_l = relu(conv(Y_{l-1}, W_l) + b_l) and G_l = dLoss/dY_l, the backward pass through a convolution is
//
//   D_l = G_l where Y_l > 0, else 0     in place; ReLU's gradient from its output
//   dLoss/dW_l = sum over rows and positions of Y_{l-1} D_l;  dLoss/db_l = sum of D_l
//   G_{l-1} = the convolution of D_l with W_l rotated by 180 degrees; not needed for the first layer
//
// Kernels, velocities and gradients stay in the layout of the forward pass between steps. If a pass needs
// another layout (direct convolutions on some CPUs do), it gets a copy.
//
// Compute limits the speed. VGG block 5 at 224: 0.925 GFLOP an image and pass as direct convolutions, eight
// passes. On two cores of an Intel Xeon (Sapphire Rapids), batch 32, milliseconds an image and pass, oneDNN
// 2.6.3: Winograd forward 1.05, to the data 1.03, to the weights 1.17; direct 2.34, 2.18, 2.15.
#include "features/blocks/onednn_blocks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <dnnl.hpp>
#include <functional>
#include <stdexcept>
#include <unordered_map>
#include <utility>

#include "data/error.hpp"
#include "features/blocks/parameter_array.hpp"
#include "features/engines/omp_threads.hpp"
#include "features/engines/onednn_primitives.hpp"

namespace headstart {
namespace {

using dnnl::memory;
using onednn::ConvolutionShape;

Error failed(std::string_view where, const dnnl::error& error) {
  if (error.status == dnnl_out_of_memory)
    return {Error::Kind::kFailed, "out of memory", where, "lower --batch, --blocks or --input-size"};
  return {Error::Kind::kFailed, fmt::format("fine-tuning with oneDNN failed ({})", error.what()), where,
          "please report it with the output of headstart info"};
}

std::span<float> floats_of(const memory& array) {
  return {static_cast<float*>(array.get_data_handle()), array.get_desc().get_size() / sizeof(float)};
}

/// D = G where Y > 0, else 0.
void gate(const memory& output, const memory& gradient) {
  const float* const y = floats_of(output).data();
  float* const g = floats_of(gradient).data();
  const auto size = static_cast<std::int64_t>(floats_of(gradient).size());
#pragma omp parallel for simd schedule(static)
  for (std::int64_t i = 0; i < size; ++i) g[i] = y[i] > 0.0F ? g[i] : 0.0F;
}

/// A convolution's parameters, all in the layout of the forward pass.
struct Parameters {
  memory kernel;
  memory kernel_velocity;
  memory kernel_gradient;
  memory kernel_reference;
  memory bias;
  memory bias_velocity;
  memory bias_gradient;

  [[nodiscard]] ParameterArray kernel_array() const {
    return {floats_of(kernel), floats_of(kernel_velocity), floats_of(kernel_gradient),
            floats_of(kernel_reference)};
  }
  [[nodiscard]] ParameterArray bias_array() const {
    return {floats_of(bias), floats_of(bias_velocity), floats_of(bias_gradient), {}};
  }
};

class OnednnBlocks final : public TrainableBlocks {
 public:
  OnednnBlocks(const NetworkWeights& weights, const BlocksOptions& options)
      : network_(weights.network),
        below_(tap_below(network_, options.first_block)),
        trained_(trained_layers("onednn", network_, options)),
        threads_(options.threads > 0 ? options.threads : omp_get_max_threads()) {
    guarded([&] { build(weights, options); });
  }

  [[nodiscard]] const std::string& description() const noexcept override { return description_; }

  [[nodiscard]] std::span<const float> forward(std::span<const float> maps) override {
    if (maps.size() != floats_of(input_).size()) throw std::invalid_argument("blocks: maps of another shape");
    guarded([&] {
      std::copy(maps.begin(), maps.end(), floats_of(input_).begin());
      run(forward_);
    });
    return floats_of(output_);
  }

  void backward(std::span<const float> gradient) override {
    if (gradient.size() != floats_of(output_gradient_).size())
      throw std::invalid_argument("blocks: a gradient of another shape");
    guarded([&] {
      std::copy(gradient.begin(), gradient.end(), floats_of(output_gradient_).begin());
      run(backward_);
    });
  }

  void step(const BlocksStep& step) override {
    guarded([&] {
      for (const Parameters& layer : parameters_) {
        update(layer.kernel_array(), step);
        update(layer.bias_array(), step);
      }
    });
  }

  [[nodiscard]] double penalty(const BlocksPenalty& penalty) override {
    const OmpThreads scope(threads_);
    double sum = 0.0;
    for (const Parameters& layer : parameters_) sum += penalty_of(layer.kernel_array(), penalty);
    return sum;
  }

  [[nodiscard]] double gradient_squared_norm(const BlocksPenalty& penalty) override {
    const OmpThreads scope(threads_);
    double sum = 0.0;
    for (const Parameters& layer : parameters_) {
      sum += gradient_squared_norm_of(layer.kernel_array(), penalty);
      sum += gradient_squared_norm_of(layer.bias_array(), penalty);
    }
    return sum;
  }

  [[nodiscard]] std::vector<ConvolutionWeights> weights() override {
    return copies(&Parameters::kernel, &Parameters::bias);
  }
  [[nodiscard]] std::vector<ConvolutionWeights> velocities() override {
    return copies(&Parameters::kernel_velocity, &Parameters::bias_velocity);
  }
  [[nodiscard]] std::vector<ConvolutionWeights> gradients() override {
    return copies(&Parameters::kernel_gradient, &Parameters::bias_gradient);
  }

  void restore(std::span<const ConvolutionWeights> weights,
               std::span<const ConvolutionWeights> velocities) override {
    for (const std::span<const ConvolutionWeights> given : {weights, velocities}) {
      if (given.size() != convolutions_.size()) throw std::invalid_argument("blocks: other layers");
      for (std::size_t i = 0; i < convolutions_.size(); ++i) {
        if (given[i].bias.size() != static_cast<std::size_t>(convolutions_[i].out_channels) ||
            given[i].kernel.size() !=
                9 * given[i].bias.size() * static_cast<std::size_t>(convolutions_[i].in_channels))
          throw std::invalid_argument("blocks: weights of another shape");
      }
    }
    guarded([&] {
      for (std::size_t i = 0; i < convolutions_.size(); ++i) {
        put(weights[i], i, parameters_[i].kernel, parameters_[i].bias);
        put(velocities[i], i, parameters_[i].kernel_velocity, parameters_[i].bias_velocity);
      }
    });
  }

 private:
  /// A primitive with its arguments, or a loop of our own.
  struct Step {
    std::string_view name;
    dnnl::primitive primitive;
    std::unordered_map<int, memory> arguments;
    std::function<void()> loop;  // instead of a primitive
  };
  using Steps = std::vector<Step>;

  /// A layer's values from the forward pass that the backward pass needs.
  struct Trace {
    std::string_view name;
    memory source;
    memory output;
    memory workspace;                                       // of a pool
    std::optional<onednn::TrainedConvolution> convolution;  // or a pool
    std::optional<onednn::TrainedMaxPool> pool;
    std::size_t index = 0;  // of the convolution
  };

  template <typename Work>
  void guarded(const Work& work) {
    const OmpThreads scope(threads_);
    const OmpFlushDenormals flush;
    try {
      work();
    } catch (const dnnl::error& error) {
      throw failed(where_, error);
    }
  }

  void run(const Steps& steps) {
    for (const Step& step : steps) {
      where_ = step.name;
      if (step.loop) {
        step.loop();
        continue;
      }
      step.primitive.execute(stream_, step.arguments);
      stream_.wait();
    }
  }

  static memory::desc nhwc(memory::dim batch, memory::dim size, memory::dim channels) {
    return {{batch, channels, size, size}, memory::data_type::f32, memory::format_tag::nhwc};
  }
  [[nodiscard]] memory::desc hwio(std::size_t layer) const {
    return {{convolutions_[layer].out_channels, convolutions_[layer].in_channels, 3, 3},
            memory::data_type::f32,
            memory::format_tag::hwio};
  }

  /// Memory that is all zeros.
  [[nodiscard]] memory zeros(const memory::desc& desc) const {
    memory array(desc, engine_);
    std::fill(floats_of(array).begin(), floats_of(array).end(), 0.0F);
    return array;
  }

  void add(Steps& steps, std::string_view name, dnnl::primitive primitive,
           std::unordered_map<int, memory> arguments, const memory::desc& scratchpad) {
    if (scratchpad.get_size() > 0) {
      scratchpad_bytes_ = std::max(scratchpad_bytes_, scratchpad.get_size());
      scratchpads_.emplace_back(scratchpad, engine_, nullptr);
      arguments.emplace(DNNL_ARG_SCRATCHPAD, scratchpads_.back());
    }
    steps.push_back({name, std::move(primitive), std::move(arguments), {}});
  }

  /// `from` in another layout, or unchanged.
  memory in_layout(Steps& steps, std::string_view name, const memory& from, const memory::desc& wanted) {
    if (from.get_desc() == wanted) return from;
    memory to(wanted, engine_);
    add_copy(steps, name, from, to);
    return to;
  }
  void add_copy(Steps& steps, std::string_view name, const memory& from, const memory& to) {
    add(steps, name, dnnl::reorder(from, to), {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}}, {});
  }

  void build(const NetworkWeights& weights, const BlocksOptions& options) {
    engine_ = dnnl::engine(dnnl::engine::kind::cpu, 0);
    stream_ = dnnl::stream(engine_);
    const MapShape from = tap_shape(network_, below_, options.input_size);
    ConvolutionShape shape{.batch = options.batch_size,
                           .size = from.height,
                           .in_channels = from.channels,
                           .out_channels = from.channels};
    input_ = memory(nhwc(shape.batch, shape.size, from.channels), engine_);
    memory current = input_;
    std::vector<Trace> traces;
    std::size_t next = first_convolution(network_, below_);
    for (const NetworkLayer& layer : trained_) {
      if (layer.kind == LayerKind::kMaxPool) {
        current = add_pool(layer, shape, current, traces);
        shape.size /= 2;
        continue;
      }
      shape.in_channels = layer.in_channels;
      shape.out_channels = layer.out_channels;
      current = add_convolution(layer, weights.layers[next++], shape, current, traces);
    }
    where_ = "the way back";
    const memory::desc top = nhwc(shape.batch, shape.size, shape.out_channels);
    output_ = memory(top, engine_);
    add_copy(forward_, where_, current, output_);
    output_gradient_ = memory(top, engine_);
    build_way_back(traces);
    allocate_scratchpad();
    description_ = fmt::format("onednn ({}: {})", onednn::library_version(),
                               onednn::summarise(implementations_, "convolution pass"));
  }

  memory add_convolution(const NetworkLayer& layer, const ConvolutionWeights& given,
                         const ConvolutionShape& shape, const memory& below, std::vector<Trace>& traces) {
    where_ = layer.name;
    const std::size_t index = convolutions_.size();
    convolutions_.push_back(layer);
    onednn::TrainedConvolution plan = plan_trained_convolution(engine_, shape);
    implementations_.emplace_back(plan.forward.impl_info_str());
    implementations_.emplace_back(plan.backward_weights.impl_info_str());
    if (index > 0) implementations_.emplace_back(plan.backward_data.impl_info_str());

    const memory::desc kernel = plan.forward.weights_desc();
    const memory::desc bias = plan.forward.bias_desc();
    parameters_.push_back(
        {zeros(kernel), zeros(kernel), zeros(kernel), zeros(kernel), zeros(bias), zeros(bias), zeros(bias)});
    Parameters& own = parameters_.back();
    put(given, index, own.kernel, own.bias);
    std::copy(floats_of(own.kernel).begin(), floats_of(own.kernel).end(),
              floats_of(own.kernel_reference).begin());

    const memory source = in_layout(forward_, where_, below, plan.forward.src_desc());
    memory output(plan.forward.dst_desc(), engine_);
    add(forward_, where_, dnnl::convolution_forward(plan.forward),
        {{DNNL_ARG_SRC, source},
         {DNNL_ARG_WEIGHTS, own.kernel},
         {DNNL_ARG_BIAS, own.bias},
         {DNNL_ARG_DST, output}},
        plan.forward.scratchpad_desc());
    traces.push_back({where_, source, output, {}, std::move(plan), {}, index});
    return output;
  }

  memory add_pool(const NetworkLayer& layer, const ConvolutionShape& shape, const memory& source,
                  std::vector<Trace>& traces) {
    where_ = layer.name;
    onednn::TrainedMaxPool plan = plan_trained_max_pool(engine_, shape, source.get_desc());
    memory output(plan.forward.dst_desc(), engine_);
    memory workspace(plan.forward.workspace_desc(), engine_);
    add(forward_, where_, dnnl::pooling_forward(plan.forward),
        {{DNNL_ARG_SRC, source}, {DNNL_ARG_DST, output}, {DNNL_ARG_WORKSPACE, workspace}},
        plan.forward.scratchpad_desc());
    traces.push_back({where_, source, output, workspace, {}, std::move(plan), 0});
    return output;
  }

  void build_way_back(const std::vector<Trace>& traces) {
    memory gradient = output_gradient_;
    for (auto trace = traces.rbegin(); trace != traces.rend(); ++trace) {
      where_ = trace->name;
      if (trace->pool) {
        gradient = add_pool_back(*trace, gradient);
      } else {
        gradient = add_convolution_back(*trace, gradient);
      }
    }
  }

  memory add_pool_back(const Trace& trace, const memory& gradient) {
    const auto& plan = trace.pool->backward;
    const memory incoming = in_layout(backward_, where_, gradient, plan.diff_dst_desc());
    memory outgoing(plan.diff_src_desc(), engine_);
    add(backward_, where_, dnnl::pooling_backward(plan),
        {{DNNL_ARG_DIFF_DST, incoming}, {DNNL_ARG_DIFF_SRC, outgoing}, {DNNL_ARG_WORKSPACE, trace.workspace}},
        plan.scratchpad_desc());
    return outgoing;
  }

  memory add_convolution_back(const Trace& trace, const memory& gradient) {
    const Parameters& own = parameters_[trace.index];
    // Gated in the output's layout, so that output and gradient match.
    memory gated = in_layout(backward_, where_, gradient, trace.output.get_desc());
    backward_.push_back({where_, {}, {}, [output = trace.output, gated] { gate(output, gated); }});

    const auto& to_weights = trace.convolution->backward_weights;
    const memory::desc found = to_weights.diff_weights_desc();
    const bool own_layout = found == own.kernel_gradient.get_desc();
    const memory kernel_gradient = own_layout ? own.kernel_gradient : memory(found, engine_);
    add(backward_, where_, dnnl::convolution_backward_weights(to_weights),
        {{DNNL_ARG_SRC, in_layout(backward_, where_, trace.source, to_weights.src_desc())},
         {DNNL_ARG_DIFF_DST, in_layout(backward_, where_, gated, to_weights.diff_dst_desc())},
         {DNNL_ARG_DIFF_WEIGHTS, kernel_gradient},
         {DNNL_ARG_DIFF_BIAS, own.bias_gradient}},
        to_weights.scratchpad_desc());
    if (!own_layout) add_copy(backward_, where_, kernel_gradient, own.kernel_gradient);
    if (trace.index == 0) return gated;  // nothing below is trained

    const auto& to_data = trace.convolution->backward_data;
    memory outgoing(to_data.diff_src_desc(), engine_);
    add(backward_, where_, dnnl::convolution_backward_data(to_data),
        {{DNNL_ARG_DIFF_DST, in_layout(backward_, where_, gated, to_data.diff_dst_desc())},
         {DNNL_ARG_WEIGHTS, in_layout(backward_, where_, own.kernel, to_data.weights_desc())},
         {DNNL_ARG_DIFF_SRC, outgoing}},
        to_data.scratchpad_desc());
    return outgoing;
  }

  void allocate_scratchpad() {
    if (scratchpad_bytes_ == 0) return;
    const memory::dims size{static_cast<memory::dim>(scratchpad_bytes_)};
    scratchpad_ = memory({size, memory::data_type::u8, memory::format_tag::a}, engine_);
    for (memory& tenant : scratchpads_) tenant.set_data_handle(scratchpad_.get_data_handle());
  }

  void put(const ConvolutionWeights& from, std::size_t layer, const memory& kernel, const memory& bias) {
    // oneDNN's handles aren't const, but the kernel is only read.
    memory stored(hwio(layer), engine_, const_cast<float*>(from.kernel.data()));
    memory own = kernel;
    dnnl::reorder(stored, own).execute(stream_, stored, own);
    stream_.wait();
    std::copy(from.bias.begin(), from.bias.end(), floats_of(bias).begin());
  }

  std::vector<ConvolutionWeights> copies(memory Parameters::*kernel, memory Parameters::*bias) {
    std::vector<ConvolutionWeights> result(convolutions_.size());
    guarded([&] {
      for (std::size_t i = 0; i < convolutions_.size(); ++i) {
        memory from = parameters_[i].*kernel;
        result[i].kernel.resize(hwio(i).get_size() / sizeof(float));
        memory to(hwio(i), engine_, result[i].kernel.data());
        dnnl::reorder(from, to).execute(stream_, from, to);
        stream_.wait();
        const std::span<float> values = floats_of(parameters_[i].*bias);
        result[i].bias.assign(values.begin(), values.end());
      }
    });
    return result;
  }

  Network network_;
  Tap below_;
  std::vector<NetworkLayer> trained_;
  std::vector<NetworkLayer> convolutions_;  // those of trained_
  int threads_;
  std::string_view where_ = "starting the library";  // the layer for error messages
  std::string description_;
  std::vector<std::string> implementations_;
  dnnl::engine engine_;
  dnnl::stream stream_;
  memory input_;
  memory output_;
  memory output_gradient_;
  std::vector<Parameters> parameters_;
  Steps forward_;
  Steps backward_;
  std::vector<memory> scratchpads_;  // they share the memory of scratchpad_
  std::size_t scratchpad_bytes_ = 0;
  memory scratchpad_;
};

}  // namespace

TrainableBlocks* headstart_open_onednn_blocks(const NetworkWeights& weights, const BlocksOptions& options) {
  return new OnednnBlocks(weights, options);
}

void headstart_probe_onednn_blocks(Availability& found) {
  found = {true, onednn::library_version()};
  try {
    const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
    const ConvolutionShape shape{.batch = 1, .size = 14, .in_channels = 512, .out_channels = 512};
    const auto plan = onednn::plan_trained_convolution(engine, shape);
    found.detail += fmt::format(", {} on this CPU", onednn::method_of(plan.forward.impl_info_str()));
  } catch (const dnnl::error& error) {
    found.available = false;
    found.detail += fmt::format(": {}", error.what());
  }
}

}  // namespace headstart
