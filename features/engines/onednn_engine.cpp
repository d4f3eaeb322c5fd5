// features/engines/onednn_engine.cpp: a list of primitives between two activation buffers that are used in
// turn. Compute limits the speed: 30.7 GFLOP an image as direct convolutions. Milliseconds an image on one
// thread of an AMD EPYC (Zen 5), oneDNN 2.6.3, batch 8: Winograd 54, direct with AVX-512 124.
// benchmarks/forward.cpp measures.
#include "features/engines/onednn_engine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <dnnl.hpp>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>

#include "data/error.hpp"
#include "features/engines/omp_threads.hpp"
#include "features/engines/onednn_primitives.hpp"

namespace headstart {
namespace {

using dnnl::memory;
using onednn::ConvolutionShape;
using onednn::library_version;
using onednn::method_of;
using onednn::plan_convolution;
using onednn::plan_max_pool;

Error engine_failed(std::string_view where, const dnnl::error& error) {
  if (error.status == dnnl_out_of_memory) {
    return {Error::Kind::kFailed, "engine onednn is out of memory", where,
            "lower --engine-batch or --input-size, or choose --engine opencv"};
  }
  return {Error::Kind::kFailed, fmt::format("engine onednn failed ({})", error.what()), where,
          "choose --engine opencv"};
}

/// The algorithms in the order in which they are tried for a layer. Each may choose a compute routine for the
/// CPU.
constexpr std::array kWinogradFirst{dnnl::algorithm::convolution_winograd,
                                    dnnl::algorithm::convolution_direct};
using Algorithms = std::span<const dnnl::algorithm>;

dnnl::convolution_forward::primitive_desc plan_first_convolution(const dnnl::engine& engine,
                                                                 Algorithms algorithms,
                                                                 const ConvolutionShape& shape,
                                                                 memory::format_tag source) {
  for (const dnnl::algorithm algorithm : algorithms) {
    if (auto plan = plan_convolution(engine, algorithm, shape, source)) return *plan;
  }
  throw dnnl::error(dnnl_unimplemented, "no float32 convolution for this CPU");
}

/// Eight images at 224 x 224, and the same number of pixels at other sizes. Measured at 224, milliseconds an
/// image on one thread: batch 1 56.8, 4 55.3, 8 53.9, 16 50.8. But 16 needs 440 MB more than 8.
int default_onednn_batch(int input_size) {
  return std::clamp(8 * 224 * 224 / (input_size * input_size), 1, 32);
}

memory::desc nhwc(const ConvolutionShape& shape, memory::dim channels) {
  return {{shape.batch, channels, shape.size, shape.size}, memory::data_type::f32, memory::format_tag::nhwc};
}

class OnednnEngine final : public Engine {
 public:
  OnednnEngine(const NetworkWeights& weights, const EngineOptions& options, Algorithms algorithms)
      : batch_size_(options.batch_size > 0 ? options.batch_size : default_onednn_batch(options.input_size)),
        input_size_(options.input_size),
        network_(weights.network),
        taps_(options.taps),
        from_(options.from),
        threads_(options.threads > 0 ? options.threads : omp_get_max_threads()),
        outputs_(options.taps.size()) {
    const OmpThreads scope(threads_);
    std::string_view layer = "starting the library";
    try {
      build(weights, options, algorithms, layer);
    } catch (const dnnl::error& error) {
      throw engine_failed(layer, error);
    }
  }

  [[nodiscard]] const EngineDescription& description() const noexcept override { return description_; }
  [[nodiscard]] const Network& network() const noexcept override { return network_; }
  [[nodiscard]] int batch_size() const noexcept override { return batch_size_; }
  [[nodiscard]] int input_size() const noexcept override { return input_size_; }
  [[nodiscard]] std::optional<Tap> from() const noexcept override { return from_; }
  [[nodiscard]] std::span<const Tap> taps() const noexcept override { return taps_; }

  void run(std::span<const float> batch, std::span<const std::span<float>> outputs) override {
    const OmpThreads scope(threads_);
    std::string_view layer = "input";
    try {
      // oneDNN's handles aren't const, but the input is only read.
      input_.set_data_handle(const_cast<float*>(batch.data()));
      for (std::size_t i = 0; i < outputs.size(); ++i) outputs_[i].set_data_handle(outputs[i].data());
      for (const Step& step : steps_) {
        layer = step.name;
        step.primitive.execute(stream_, step.arguments);
      }
      stream_.wait();
    } catch (const dnnl::error& error) {
      throw engine_failed(layer, error);
    }
  }

 private:
  struct Step {
    std::string_view name;
    dnnl::primitive primitive;
    std::unordered_map<int, memory> arguments;
  };

  /// One of the two activation buffers, and all arrays that use it in turn.
  struct Buffer {
    std::size_t bytes = 0;
    std::vector<memory> tenants;
    memory storage;
  };

  void build(const NetworkWeights& weights, const EngineOptions& options, Algorithms algorithms,
             std::string_view& layer) {
    engine_ = dnnl::engine(dnnl::engine::kind::cpu, 0);
    stream_ = dnnl::stream(engine_);
    std::vector<std::string> implementations;
    const MapShape start = start_shape(network_, from_, input_size_);
    ConvolutionShape shape{.batch = batch_size_,
                           .size = start.height,
                           .in_channels = start.channels,
                           .out_channels = start.channels};
    input_ = memory(nhwc(shape, start.channels), engine_, nullptr);
    memory current = input_;
    std::size_t i = first_convolution(network_, from_);
    const std::span<const NetworkLayer> layers = layers_to_run("onednn", network_, options, is_vgg_layer);
    for (const NetworkLayer& step : layers) {
      layer = step.name;
      if (step.kind == LayerKind::kMaxPool) {
        current = add_pool(layer, plan_max_pool(engine_, shape, current.get_desc()), current);
        shape.size /= 2;
        add_taps(layer, Tap{step.name}, shape, current);
        continue;
      }
      shape.in_channels = step.in_channels;
      shape.out_channels = step.out_channels;
      // Requests the image in planes. Otherwise oneDNN 2.6.3 chooses an NHWC routine. Winograd can read the
      // output of that routine only after a reorder that costs 1.4 ms an image.
      const memory::format_tag source = i == 0 ? memory::format_tag::nchw : memory::format_tag::any;
      const auto plan = plan_first_convolution(engine_, algorithms, shape, source);
      implementations.emplace_back(plan.impl_info_str());
      current = add_reorder(layer, current, plan.src_desc());
      current = add_convolution(layer, plan, weights.layers[i++], step, current);
    }
    layer = "memory";
    allocate();
    description_ = {.name = "onednn",
                    .version = library_version(),
                    .implementation = onednn::summarise(implementations, "layer") + from_tap(from_),
                    .precision = Precision::kFp32};
  }

  /// A place for `desc` in the buffer that isn't being read.
  memory next_activation(const memory::desc& desc) {
    turn_ = 1 - turn_;
    Buffer& buffer = buffers_[turn_];
    buffer.bytes = std::max(buffer.bytes, desc.get_size());
    buffer.tenants.emplace_back(desc, engine_, nullptr);
    return buffer.tenants.back();
  }

  void add_step(std::string_view name, dnnl::primitive primitive, std::unordered_map<int, memory> arguments,
                const memory::desc& scratchpad) {
    if (scratchpad.get_size() > 0) {
      scratchpad_.bytes = std::max(scratchpad_.bytes, scratchpad.get_size());
      arguments.emplace(DNNL_ARG_SCRATCHPAD, scratchpad_.tenants.emplace_back(scratchpad, engine_, nullptr));
    }
    steps_.push_back({name, std::move(primitive), std::move(arguments)});
  }

  memory add_reorder(std::string_view name, const memory& from, const memory::desc& wanted) {
    if (from.get_desc() == wanted) return from;
    memory to = next_activation(wanted);
    add_copy(name, from, to);
    return to;
  }

  void add_copy(std::string_view name, const memory& from, const memory& to) {
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    const dnnl::reorder::primitive_desc plan(engine_, from.get_desc(), engine_, to.get_desc(), attributes);
    add_step(name, dnnl::reorder(plan), {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}}, plan.scratchpad_desc());
  }

  memory add_convolution(std::string_view name, const dnnl::convolution_forward::primitive_desc& plan,
                         const ConvolutionWeights& weights, const NetworkLayer& layer, const memory& source) {
    const memory::desc hwio({layer.out_channels, layer.in_channels, 3, 3}, memory::data_type::f32,
                            memory::format_tag::hwio);
    memory stored(hwio, engine_, const_cast<float*>(weights.kernel.data()));
    memory kernel(plan.weights_desc(), engine_);
    dnnl::reorder(stored, kernel).execute(stream_, stored, kernel);
    stream_.wait();
    memory bias(plan.bias_desc(), engine_);
    std::copy(weights.bias.begin(), weights.bias.end(), static_cast<float*>(bias.get_data_handle()));
    memory destination = next_activation(plan.dst_desc());
    add_step(name, dnnl::convolution_forward(plan),
             {{DNNL_ARG_SRC, source},
              {DNNL_ARG_WEIGHTS, kernel},
              {DNNL_ARG_BIAS, bias},
              {DNNL_ARG_DST, destination}},
             plan.scratchpad_desc());
    return destination;
  }

  memory add_pool(std::string_view name, const dnnl::pooling_forward::primitive_desc& plan,
                  const memory& source) {
    memory destination = next_activation(plan.dst_desc());
    add_step(name, dnnl::pooling_forward(plan), {{DNNL_ARG_SRC, source}, {DNNL_ARG_DST, destination}},
             plan.scratchpad_desc());
    return destination;
  }

  /// Copies the activations out for each requested `tap`.
  void add_taps(std::string_view name, const Tap& tap, const ConvolutionShape& shape,
                const memory& activations) {
    for (std::size_t i = 0; i < taps_.size(); ++i) {
      if (taps_[i] != tap) continue;
      outputs_[i] = memory(nhwc(shape, shape.out_channels), engine_, nullptr);
      add_copy(name, activations, outputs_[i]);
    }
  }

  void allocate() {
    for (Buffer* buffer : {&buffers_[0], &buffers_[1], &scratchpad_}) {
      if (buffer->bytes == 0) continue;
      const memory::dims size{static_cast<memory::dim>(buffer->bytes)};
      buffer->storage = memory({size, memory::data_type::u8, memory::format_tag::a}, engine_);
      for (memory& tenant : buffer->tenants) tenant.set_data_handle(buffer->storage.get_data_handle());
    }
  }

  int batch_size_;
  int input_size_;
  Network network_;
  std::vector<Tap> taps_;
  std::optional<Tap> from_;
  int threads_;
  EngineDescription description_;
  dnnl::engine engine_;
  dnnl::stream stream_;
  memory input_;
  std::vector<memory> outputs_;
  std::array<Buffer, 2> buffers_;
  std::size_t turn_ = 0;
  Buffer scratchpad_;
  std::vector<Step> steps_;
};

}  // namespace

std::unique_ptr<Engine> open_onednn_engine(const NetworkWeights& weights, const EngineOptions& options) {
  return std::make_unique<OnednnEngine>(weights, options, kWinogradFirst);
}

std::unique_ptr<Engine> open_direct_onednn_engine(const NetworkWeights& weights,
                                                  const EngineOptions& options) {
  return std::make_unique<OnednnEngine>(weights, options, Algorithms(kWinogradFirst).last(1));
}

Availability probe_onednn() {
  Availability availability{.available = true, .detail = library_version()};
  try {
    const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
    const ConvolutionShape shape{.batch = 1, .size = 56, .in_channels = 256, .out_channels = 256};
    const auto plan = plan_first_convolution(engine, kWinogradFirst, shape, memory::format_tag::any);
    availability.detail += fmt::format(", {} on this CPU", method_of(plan.impl_info_str()));
  } catch (const dnnl::error& error) {
    availability.available = false;
    availability.detail += fmt::format(": {}", error.what());
  }
  return availability;
}

Engine* headstart_open_onednn_engine(const NetworkWeights& weights, const EngineOptions& options) {
  return open_onednn_engine(weights, options).release();
}

void headstart_probe_onednn_engine(Availability& found) { found = probe_onednn(); }

}  // namespace headstart
