// features/blocks/libtorch_blocks.cpp: the network in libtorch's operations, with gradients by its autograd.
// The same source works for libtorch 1.13 (Debian 12) and 2.x.
#include "features/blocks/libtorch_blocks.hpp"

// Not torch/torch.h, which takes three times as long to compile. This header must come first, or Clang misses
// it in libtorch 1.13.
#include <ATen/core/ivalue.h>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>
#include <torch/version.h>

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <utility>

#include "data/error.hpp"
#include "features/engines/omp_threads.hpp"

namespace headstart {
namespace {

using at::Tensor;

c10::Device best_device() { return at::hasCUDA() ? c10::Device(c10::kCUDA, 0) : c10::Device(c10::kCPU); }

std::string describe(const c10::Device& device) {
  return fmt::format("{} on {}", TORCH_VERSION,
                     device.is_cuda() ? fmt::format("CUDA device {}", int{device.index()}) : "the CPU");
}

/// A parameter with SGD's state for it.
struct Parameter {
  Tensor weights;  // a leaf of the graph
  Tensor velocity;
  Tensor reference;  // W_0 of a kernel; undefined for a bias

  /// dLoss/dw plus the penalty's gradient.
  [[nodiscard]] Tensor gradient(const BlocksPenalty& penalty) const {
    Tensor gradient = weights.grad().clone();
    if (!reference.defined()) return gradient;
    gradient.add_(weights, 2.0 * penalty.l2);
    return gradient.add_(weights - reference, 2.0 * penalty.l2_sp);
  }
};

double sum_of_squares(const Tensor& tensor) { return tensor.to(at::kDouble).square().sum().item<double>(); }

class LibtorchBlocks final : public TrainableBlocks {
 public:
  LibtorchBlocks(const NetworkWeights& weights, const BlocksOptions& options)
      : layers_(trained_layers("libtorch", weights.network, options)),
        threads_(options.threads > 0 ? options.threads : omp_get_max_threads()),
        device_(best_device()) {
    const Tap tap = tap_below(weights.network, options.first_block);
    const MapShape below = tap_shape(weights.network, tap, options.input_size);
    input_shape_ = {options.batch_size, below.height, below.width, below.channels};
    guarded([&] {
      // float32 must mean float32: TF32 has only 10 bits of mantissa.
      at::globalContext().setAllowTF32CuBLAS(false);
      at::globalContext().setAllowTF32CuDNN(false);
      // libtorch reads this number once in each thread that calls it. Afterwards the value that guarded()
      // sets counts.
      at::set_num_threads(threads_);
      std::size_t next = first_convolution(weights.network, tap);
      for (const NetworkLayer& layer : layers_) {
        if (layer.kind != LayerKind::kConvolution) continue;
        const ConvolutionWeights& own = weights.layers[next++];
        channels_.push_back({layer.in_channels, layer.out_channels});
        kernels_.push_back(parameter(kernel_tensor(own, kernels_.size()), true));
        biases_.push_back(parameter(tensor_of(own.bias, {layer.out_channels}), false));
      }
    });
    description_ = fmt::format("libtorch ({})", describe(device_));
  }

  [[nodiscard]] const std::string& description() const noexcept override { return description_; }

  [[nodiscard]] std::span<const float> forward(std::span<const float> maps) override {
    const auto needed = input_shape_[0] * input_shape_[1] * input_shape_[2] * input_shape_[3];
    if (static_cast<std::int64_t>(maps.size()) != needed)
      throw std::invalid_argument("blocks: maps of another shape");
    guarded([&] {
      // The order rows, columns, channels is called channels last in libtorch.
      Tensor x = tensor_of(maps, input_shape_).permute({0, 3, 1, 2});
      std::size_t i = 0;
      for (const NetworkLayer& layer : layers_) {
        if (layer.kind == LayerKind::kMaxPool) {
          x = at::max_pool2d(x, 2, 2);
          continue;
        }
        x = at::relu(at::conv2d(x, kernels_[i].weights, biases_[i].weights, 1, 1));
        ++i;
      }
      output_ = x;
      shown_ = x.detach().permute({0, 2, 3, 1}).to(c10::kCPU).contiguous();
    });
    return {shown_.data_ptr<float>(), static_cast<std::size_t>(shown_.numel())};
  }

  void backward(std::span<const float> gradient) override {
    if (!output_.defined() || gradient.size() != static_cast<std::size_t>(output_.numel()))
      throw std::invalid_argument("blocks: a gradient of another shape");
    guarded([&] {
      for (std::vector<Parameter>* parameters : {&kernels_, &biases_}) {
        for (Parameter& parameter : *parameters) parameter.weights.mutable_grad() = Tensor();
      }
      const std::vector<std::int64_t> shape{output_.size(0), output_.size(2), output_.size(3),
                                            output_.size(1)};
      output_.backward(tensor_of(gradient, shape).permute({0, 3, 1, 2}));
      output_ = Tensor();  // the graph can't be used again
    });
  }

  void step(const BlocksStep& step) override {
    guarded([&] {
      const at::NoGradGuard no_graph;
      for (std::vector<Parameter>* parameters : {&kernels_, &biases_}) {
        for (Parameter& parameter : *parameters) {
          const Tensor gradient = parameter.gradient(step.penalty);
          const double rate = step.learning_rate * step.gradient_scale;
          parameter.velocity.mul_(step.momentum).add_(gradient, -rate);
          if (step.nesterov) {
            parameter.weights.add_(parameter.velocity, step.momentum).add_(gradient, -rate);
          } else {
            parameter.weights.add_(parameter.velocity);
          }
        }
      }
    });
  }

  [[nodiscard]] double penalty(const BlocksPenalty& penalty) override {
    double sum = 0.0;
    guarded([&] {
      const at::NoGradGuard no_graph;
      for (const Parameter& kernel : kernels_) {
        if (penalty.l2 != 0.0) sum += penalty.l2 * sum_of_squares(kernel.weights);
        if (penalty.l2_sp != 0.0) sum += penalty.l2_sp * sum_of_squares(kernel.weights - kernel.reference);
      }
    });
    return sum;
  }

  [[nodiscard]] double gradient_squared_norm(const BlocksPenalty& penalty) override {
    double sum = 0.0;
    guarded([&] {
      const at::NoGradGuard no_graph;
      for (const std::vector<Parameter>* parameters : {&kernels_, &biases_}) {
        for (const Parameter& parameter : *parameters) sum += sum_of_squares(parameter.gradient(penalty));
      }
    });
    return sum;
  }

  [[nodiscard]] std::vector<ConvolutionWeights> weights() override {
    return copies([](const Parameter& parameter) { return parameter.weights.detach(); });
  }
  [[nodiscard]] std::vector<ConvolutionWeights> velocities() override {
    return copies([](const Parameter& parameter) { return parameter.velocity; });
  }
  [[nodiscard]] std::vector<ConvolutionWeights> gradients() override {
    return copies([](const Parameter& parameter) { return parameter.weights.grad(); });
  }

  void restore(std::span<const ConvolutionWeights> weights,
               std::span<const ConvolutionWeights> velocities) override {
    for (const std::span<const ConvolutionWeights> given : {weights, velocities}) {
      if (given.size() != kernels_.size()) throw std::invalid_argument("blocks: other layers");
      for (std::size_t i = 0; i < given.size(); ++i) {
        if (static_cast<std::int64_t>(given[i].kernel.size()) != kernels_[i].weights.numel() ||
            static_cast<std::int64_t>(given[i].bias.size()) != biases_[i].weights.numel())
          throw std::invalid_argument("blocks: weights of another shape");
      }
    }
    guarded([&] {
      const at::NoGradGuard no_graph;
      for (std::size_t i = 0; i < kernels_.size(); ++i) {
        kernels_[i].weights.copy_(kernel_tensor(weights[i], i));
        kernels_[i].velocity.copy_(kernel_tensor(velocities[i], i));
        biases_[i].weights.copy_(tensor_of(weights[i].bias, biases_[i].weights.sizes()));
        biases_[i].velocity.copy_(tensor_of(velocities[i].bias, biases_[i].weights.sizes()));
      }
    });
  }

 private:
  template <typename Work>
  void guarded(const Work& work) const {
    // libtorch's loops are OpenMP's. A backward pass on the CPU runs in the calling thread.
    const OmpThreads scope(threads_);
    const OmpFlushDenormals flush;
    try {
      work();
    } catch (const c10::Error& error) {
      const std::string what = error.what_without_backtrace();
      // The words of a GPU, then those of the CPU.
      const bool memory = what.find("out of memory") != std::string::npos ||
                          what.find("can't allocate memory") != std::string::npos;
      throw Error{Error::Kind::kFailed, memory ? "out of memory" : "fine-tuning with libtorch failed",
                  printable(what.substr(0, what.find('\n'))),
                  memory ? "lower --batch or --blocks" : "leave out --backprop libtorch"};
    }
  }

  /// A copy on the device.
  [[nodiscard]] Tensor tensor_of(std::span<const float> values, at::IntArrayRef shape) const {
    // from_blob() takes no const, but the values are only read and copied.
    const Tensor view = at::from_blob(const_cast<float*>(values.data()), shape, at::kFloat);
    return view.to(device_, at::kFloat, /*non_blocking=*/false, /*copy=*/true);
  }
  /// (row, column, in, out) in libtorch's order: (out, in, row, column).
  [[nodiscard]] Tensor kernel_tensor(const ConvolutionWeights& weights, std::size_t layer) const {
    return tensor_of(weights.kernel, {3, 3, channels_[layer].first, channels_[layer].second})
        .permute({3, 2, 0, 1})
        .contiguous(at::MemoryFormat::ChannelsLast);
  }

  static Parameter parameter(const Tensor& weights, bool kernel) {
    Parameter parameter;
    parameter.velocity = at::zeros_like(weights);
    if (kernel) parameter.reference = weights.clone();
    parameter.weights = weights.set_requires_grad(true);
    return parameter;
  }

  template <typename Choice>
  std::vector<ConvolutionWeights> copies(const Choice& choice) const {
    std::vector<ConvolutionWeights> result(kernels_.size());
    guarded([&] {
      const auto copy = [](const Tensor& from, std::vector<float>& to) {
        const Tensor here = from.to(c10::kCPU).contiguous();
        to.assign(here.data_ptr<float>(), here.data_ptr<float>() + here.numel());
      };
      for (std::size_t i = 0; i < kernels_.size(); ++i) {
        copy(choice(kernels_[i]).permute({2, 3, 1, 0}), result[i].kernel);
        copy(choice(biases_[i]), result[i].bias);
      }
    });
    return result;
  }

  std::vector<NetworkLayer> layers_;
  std::vector<std::pair<int, int>> channels_;  // of each convolution: in, out
  int threads_;
  c10::Device device_;
  std::vector<std::int64_t> input_shape_;
  std::vector<Parameter> kernels_;
  std::vector<Parameter> biases_;
  Tensor output_;  // with its graph
  Tensor shown_;
  std::string description_;
};

}  // namespace

TrainableBlocks* headstart_open_libtorch_blocks(const NetworkWeights& weights, const BlocksOptions& options) {
  return new LibtorchBlocks(weights, options);
}

void headstart_probe_libtorch_blocks(Availability& found) {
  found = {true, fmt::format("libtorch {}", describe(best_device()))};
}

}  // namespace headstart
