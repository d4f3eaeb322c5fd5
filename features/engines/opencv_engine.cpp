// features/engines/opencv_engine.cpp: handles the device, the batch, and their failures. The network itself
// is in opencv_network.
#include "features/engines/opencv_engine.hpp"

#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <opencv2/core.hpp>
#include <opencv2/core/utility.hpp>
#include <opencv2/dnn.hpp>
#include <optional>
#include <string>

#include "data/error.hpp"
#include "features/engines/batch_parts.hpp"
#include "features/engines/cuda_support.hpp"
#include "features/engines/opencv_network.hpp"

namespace headstart {
namespace {

/// With more images of 224 x 224 a device gains nothing, and the host needs more memory.
constexpr int kMostImages = 128;

/// The only difference between the three targets.
OpencvDevice device_of(OpencvTarget target) {
  switch (target) {
    case OpencvTarget::kCuda:
      return {cv::dnn::DNN_BACKEND_CUDA, cv::dnn::DNN_TARGET_CUDA};
    case OpencvTarget::kCudaFp16:
      return {cv::dnn::DNN_BACKEND_CUDA, cv::dnn::DNN_TARGET_CUDA_FP16};
    case OpencvTarget::kCpu:
      break;
  }
  return {cv::dnn::DNN_BACKEND_OPENCV, cv::dnn::DNN_TARGET_CPU};
}

bool needs_cuda(OpencvTarget target) { return device_of(target).backend == cv::dnn::DNN_BACKEND_CUDA; }

std::string opencv_version() { return fmt::format("OpenCV {}", cv::getVersionString()); }

Error not_available(OpencvTarget target, const std::string& missing) {
  return {Error::Kind::kFailed, fmt::format("engine {} is not available", to_string(target)), missing,
          "choose --engine auto, onednn or opencv, or see docs/gpu.md"};
}

Error engine_failed(OpencvTarget target, std::string_view where, std::string_view reason) {
  return {Error::Kind::kFailed, fmt::format("engine {} failed", to_string(target)),
          fmt::format("{}: {}", where, printable(reason)),
          needs_cuda(target)
              ? "look at the device with nvidia-smi and run the command again, which goes on from "
                "what is cached; or choose --engine onednn"
              : "lower --engine-batch, or choose --engine onednn"};
}

/// On a CPU OpenCV works image by image, so a larger batch gains nothing and costs memory. A GPU needs a
/// large batch; the largest that fits is found by trying.
int default_batch(OpencvTarget target, int input_size) {
  return needs_cuda(target) ? std::clamp(kMostImages * 224 * 224 / (input_size * input_size), 1, kMostImages)
                            : 1;
}

/// TensorFloat-32 has 10 bits of mantissa: an error of 1e-3. OpenCV requests plain float32 from cuDNN. This
/// variable requests it from NVIDIA's libraries, which read it at their first use.
void forbid_tf32() { ::setenv("NVIDIA_TF32_OVERRIDE", "0", 1); }

class OpencvEngine final : public Engine {
 public:
  OpencvEngine(OpencvTarget target, const NetworkWeights& weights, const EngineOptions& options,
               int most_images)
      : target_(target),
        weights_(weights),
        options_(options),
        most_images_(most_images),
        batch_size_(options.batch_size > 0 ? options.batch_size : default_batch(target, options.input_size)),
        part_(batch_size_),
        description_{
            .name = std::string(to_string(target)),
            .version = opencv_version(),
            .implementation = (needs_cuda(target) ? "DNN module, CUDA backend" : "DNN module, CPU backend") +
                              from_tap(options.from),
            .precision = precision_of(target)} {
    cv::setNumThreads(options.threads > 0 ? options.threads : omp_get_max_threads());
    if (needs_cuda(target) && description_.precision == Precision::kFp32) forbid_tf32();
    try {
      network_.emplace(weights_, options_, device_of(target_), part_);
      check_layers();
    } catch (const cv::Exception& error) {
      throw engine_failed(target_, "building the network", error.err);
    }
    if (needs_cuda(target) || most_images < std::numeric_limits<int>::max()) probe_memory();
  }

  [[nodiscard]] const EngineDescription& description() const noexcept override { return description_; }
  [[nodiscard]] const Network& network() const noexcept override { return weights_.network; }
  [[nodiscard]] int batch_size() const noexcept override { return batch_size_; }
  [[nodiscard]] int input_size() const noexcept override { return options_.input_size; }
  [[nodiscard]] std::optional<Tap> from() const noexcept override { return options_.from; }
  [[nodiscard]] std::span<const Tap> taps() const noexcept override { return options_.taps; }

  void run(std::span<const float> batch, std::span<const std::span<float>> outputs) override {
    const std::size_t row = start_shape(weights_.network, options_.from, options_.input_size).size();
    try {
      run_in_parts(batch_size_, part_, [&](int first, int part) {
        const auto begin = static_cast<std::size_t>(first);
        const auto count = static_cast<std::size_t>(part);
        std::vector<std::span<float>> rows;
        for (const std::span<float> output : outputs) {
          const std::size_t size = output.size() / static_cast<std::size_t>(batch_size_);
          rows.push_back(output.subspan(begin * size, count * size));
        }
        run_part(batch.subspan(begin * row, count * row), rows, part);
      });
    } catch (const OutOfDeviceMemory& error) {
      throw engine_failed(target_, "the device's memory does not hold one image", error.what());
    }
  }

 private:
  void run_part(std::span<const float> batch, std::span<const std::span<float>> outputs, int part) {
    try {
      if (part > most_images_) throw OutOfDeviceMemory("a device that is made up for tests");
      if (!network_ || network_->rows() != part) {
        network_.reset();  // frees its memory first
        network_.emplace(weights_, options_, device_of(target_), part);
      }
      network_->run(batch, outputs);
    } catch (const cv::Exception& error) {
      network_.reset();
      if (is_out_of_memory(error.err)) throw OutOfDeviceMemory(error.err);
      throw engine_failed(target_, "running the network", error.err);
    }
  }

  /// Checks that no layer runs on the CPU instead of the device.
  void check_layers() {
    const std::vector<std::string> others = network_->layers_without(device_of(target_).backend);
    if (others.empty()) return;
    throw engine_failed(target_, "building the network",
                        fmt::format("the device has no code for {} of its layers, beginning with {}",
                                    others.size(), others.front()));
  }

  /// Reduces the default batch size to what fits into the device's memory. A batch size that the user set
  /// stays, and goes through in parts.
  void probe_memory() {
    const std::vector<float> batch(static_cast<std::size_t>(batch_size_) *
                                   start_shape(weights_.network, options_.from, options_.input_size).size());
    std::vector<std::vector<float>> outputs;
    std::vector<std::span<float>> spans;
    outputs.reserve(options_.taps.size());
    for (const Tap& tap : options_.taps)
      spans.emplace_back(outputs.emplace_back(static_cast<std::size_t>(batch_size_) *
                                              tap_shape(weights_.network, tap, options_.input_size).size()));
    run(batch, spans);
    if (options_.batch_size == 0) batch_size_ = part_;
    if (part_ < batch_size_) description_.implementation += fmt::format(", {} images at a time", part_);
  }

  OpencvTarget target_;
  NetworkWeights weights_;  // a network is built again if memory runs out
  EngineOptions options_;
  int most_images_;
  int batch_size_;
  int part_;  // how many rows go through the network at a time
  EngineDescription description_;
  std::optional<OpencvNetwork> network_;
};

}  // namespace

bool is_out_of_memory(std::string_view reason) noexcept {
  // The text of cudaErrorMemoryAllocation; CUDNN_STATUS_ALLOC_FAILED, CUBLAS_STATUS_ALLOC_FAILED,
  // CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED.
  return reason.find("out of memory") != std::string_view::npos ||
         (reason.find("_ALLOC") != std::string_view::npos &&
          reason.find("_FAILED") != std::string_view::npos);
}

std::unique_ptr<Engine> open_opencv_engine(OpencvTarget target, const NetworkWeights& weights,
                                           const EngineOptions& options, int most_images) {
  if (needs_cuda(target)) {
    const std::string missing = missing_for_cuda(find_cuda(target), target);
    if (!missing.empty()) throw not_available(target, missing);
  }
  return std::make_unique<OpencvEngine>(target, weights, options, most_images);
}

Availability probe_opencv(OpencvTarget target) {
  if (!needs_cuda(target)) return {.available = true, .detail = opencv_version()};
  const CudaFacts facts = find_cuda(target);
  const std::string missing = missing_for_cuda(facts, target);
  if (!missing.empty()) return {.available = false, .detail = missing};
  return {.available = true, .detail = fmt::format("{}, {}", opencv_version(), describe(facts))};
}

Engine* headstart_open_opencv_engine(OpencvTarget target, const NetworkWeights& weights,
                                     const EngineOptions& options) {
  return open_opencv_engine(target, weights, options).release();
}

void headstart_probe_opencv_engine(Availability& found, OpencvTarget target) { found = probe_opencv(target); }

}  // namespace headstart
