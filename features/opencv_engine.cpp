// features/opencv_engine.cpp: the network is built layer by layer from LayerParams; there is no model file to
// parse.
#include "features/opencv_engine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <opencv2/core.hpp>
#include <opencv2/core/cuda.hpp>
#include <opencv2/core/utility.hpp>
#include <opencv2/dnn.hpp>
#include <opencv2/dnn/layer.hpp>
#include <string>

#include "data/error.hpp"

namespace headstart {
namespace {

/// All that tells the three kinds apart.
struct Device {
  cv::dnn::Backend backend;
  cv::dnn::Target target;
};

Device device_of(EngineKind kind) {
  switch (kind) {
    case EngineKind::kOpencvCuda:
      return {cv::dnn::DNN_BACKEND_CUDA, cv::dnn::DNN_TARGET_CUDA};
    case EngineKind::kOpencvCudaFp16:
      return {cv::dnn::DNN_BACKEND_CUDA, cv::dnn::DNN_TARGET_CUDA_FP16};
    default:
      return {cv::dnn::DNN_BACKEND_OPENCV, cv::dnn::DNN_TARGET_CPU};
  }
}

bool needs_cuda(EngineKind kind) { return device_of(kind).backend == cv::dnn::DNN_BACKEND_CUDA; }

std::string library_version() { return fmt::format("OpenCV {}", cv::getVersionString()); }

/// Whether OpenCV's core was compiled with CUDA. Only its build report says so: the device count is 0 without
/// CUDA too.
bool built_with_cuda() {
  const std::string& report = cv::getBuildInformation();
  const std::size_t found = report.find("NVIDIA CUDA:");
  if (found == std::string::npos) return false;
  const std::string line = report.substr(found, report.find('\n', found) - found);
  return line.find("YES") != std::string::npos;
}

CudaFacts cuda_facts(EngineKind kind) {
  CudaFacts facts;
  facts.built_with_cuda = built_with_cuda();
  if (!facts.built_with_cuda) return facts;
  facts.devices = cv::cuda::getCudaEnabledDeviceCount();
  if (facts.devices <= 0) return facts;  // asking the DNN module about a device that isn't there may throw
  const auto targets = cv::dnn::getAvailableTargets(cv::dnn::DNN_BACKEND_CUDA);
  facts.dnn_target_works = std::find(targets.begin(), targets.end(), device_of(kind).target) != targets.end();
  return facts;
}

Error not_available(EngineKind kind, const std::string& missing) {
  return {Error::Kind::kFailed, fmt::format("engine {} is not available", to_string(kind)), missing,
          "choose --engine auto, onednn or opencv, or use an OpenCV with CUDA on a machine with a device"};
}

Error engine_failed(EngineKind kind, std::string_view where, const cv::Exception& error) {
  return {Error::Kind::kFailed, fmt::format("engine {} failed ({})", to_string(kind), printable(error.err)),
          where, "lower --batch-size, or choose --engine onednn"};
}

/// [3, 3, in, out] as Keras stores it to [out, in, 3, 3] as OpenCV wants it.
cv::Mat oihw(const ConvolutionWeights& weights, const ConvolutionLayer& layer) {
  const int in_channels = layer.in_channels;
  const int out_channels = layer.out_channels;
  const std::array<int, 4> shape{out_channels, in_channels, 3, 3};
  cv::Mat kernel(4, shape.data(), CV_32F);
  const float* from = weights.kernel.data();
  auto* to = kernel.ptr<float>();
  for (int tap = 0; tap < 9; ++tap) {
    for (int in = 0; in < in_channels; ++in) {
      for (int out = 0; out < out_channels; ++out) {
        to[(static_cast<std::ptrdiff_t>(out) * in_channels + in) * 9 + tap] = *from++;
      }
    }
  }
  return kernel;
}

cv::dnn::LayerParams convolution_params(const ConvolutionWeights& weights, const ConvolutionLayer& layer) {
  cv::dnn::LayerParams params;
  params.set("kernel_size", 3);
  params.set("stride", 1);
  params.set("pad", 1);
  params.set("num_output", layer.out_channels);
  params.set("bias_term", true);
  params.blobs.push_back(oihw(weights, layer));
  params.blobs.push_back(cv::Mat(weights.bias, /*copyData=*/true).reshape(1, 1));
  return params;
}

cv::dnn::LayerParams pool_params() {
  cv::dnn::LayerParams params;
  params.set("pool", "max");
  params.set("kernel_size", 2);
  params.set("stride", 2);
  params.set("ceil_mode", false);  // the importers' default is true, which would make 13 x 13 of 25 x 25
  return params;
}

/// [n, pixels, channels] to [n, channels, pixels].
void to_planes(std::span<const float> from, std::size_t pixels, std::size_t channels, float* to) {
  for (std::size_t image = 0; image < from.size() / (pixels * channels); ++image) {
    const float* source = from.data() + image * pixels * channels;
    for (std::size_t channel = 0; channel < channels; ++channel) {
      for (std::size_t pixel = 0; pixel < pixels; ++pixel) *to++ = source[pixel * channels + channel];
    }
  }
}

/// [n, channels, pixels] to [n, pixels, channels].
void from_planes(const float* from, std::size_t pixels, std::size_t channels, std::span<float> to) {
  for (std::size_t image = 0; image < to.size() / (pixels * channels); ++image) {
    float* target = to.data() + image * pixels * channels;
    for (std::size_t channel = 0; channel < channels; ++channel) {
      for (std::size_t pixel = 0; pixel < pixels; ++pixel) target[pixel * channels + channel] = *from++;
    }
  }
}

/// On a CPU OpenCV works image by image, so that a batch gains nothing and costs memory; a GPU has to be
/// filled.
int default_batch(EngineKind kind, int input_size) {
  return needs_cuda(kind) ? std::clamp(32 * 224 * 224 / (input_size * input_size), 1, 128) : 1;
}

class OpencvEngine final : public Engine {
 public:
  OpencvEngine(const Vgg16Weights& weights, const EngineOptions& options)
      : kind_(options.kind),
        batch_size_(options.batch_size > 0 ? options.batch_size : default_batch(kind_, options.input_size)),
        input_size_(options.input_size),
        taps_(options.taps),
        from_(options.from),
        description_{
            .name = std::string(to_string(kind_)),
            .version = library_version(),
            .implementation = (needs_cuda(kind_) ? "DNN module, CUDA backend" : "DNN module, CPU backend") +
                              from_tap(from_),
            .precision = precision_of(kind_)} {
    if (options.threads > 0) cv::setNumThreads(options.threads);
    for (const Tap tap : taps_) output_names_.emplace_back(std::string(to_string(tap)));
    try {
      build(weights);
    } catch (const cv::Exception& error) {
      throw engine_failed(kind_, "building the network", error);
    }
  }

  [[nodiscard]] const EngineDescription& description() const noexcept override { return description_; }
  [[nodiscard]] int batch_size() const noexcept override { return batch_size_; }
  [[nodiscard]] int input_size() const noexcept override { return input_size_; }
  [[nodiscard]] std::optional<Tap> from() const noexcept override { return from_; }
  [[nodiscard]] std::span<const Tap> taps() const noexcept override { return taps_; }

  void run(std::span<const float> batch, std::span<const std::span<float>> outputs) override {
    try {
      const MapShape start = start_shape(from_, input_size_);
      const auto channels = static_cast<std::size_t>(start.channels);
      to_planes(batch, start.size() / channels, channels, input_.ptr<float>());
      network_.setInput(input_);
      std::vector<cv::Mat> blobs;
      network_.forward(blobs, output_names_);
      for (std::size_t i = 0; i < outputs.size(); ++i) copy_out(taps_[i], blobs[i], outputs[i]);
    } catch (const cv::Exception& error) {
      throw engine_failed(kind_, "running the network", error);
    }
  }

 private:
  void build(const Vgg16Weights& weights) {
    const int deepest = block_of(*std::max_element(taps_.begin(), taps_.end()));
    for (std::size_t i = first_convolution(from_);
         i < kVgg16Convolutions.size() && kVgg16Convolutions[i].block <= deepest; ++i) {
      const ConvolutionLayer& layer = kVgg16Convolutions[i];
      const std::string name(layer.name);
      cv::dnn::LayerParams convolution = convolution_params(weights.layers[i], layer);
      network_.addLayerToPrev(name, "Convolution", convolution);
      cv::dnn::LayerParams relu;
      network_.addLayerToPrev(name + "_relu", "ReLU", relu);
      const bool ends_block =
          i + 1 == kVgg16Convolutions.size() || kVgg16Convolutions[i + 1].block != layer.block;
      if (!ends_block) continue;
      cv::dnn::LayerParams pool = pool_params();
      const Tap tap = kAllTaps[static_cast<std::size_t>(layer.block - 1)];
      network_.addLayerToPrev(std::string(to_string(tap)), "Pooling", pool);
    }
    network_.setPreferableBackend(device_of(kind_).backend);
    network_.setPreferableTarget(device_of(kind_).target);
    const MapShape start = start_shape(from_, input_size_);
    const std::array<int, 4> shape{batch_size_, start.channels, start.height, start.width};
    input_.create(4, shape.data(), CV_32F);
  }

  void copy_out(Tap tap, const cv::Mat& blob, std::span<float> output) const {
    const MapShape shape = tap_shape(tap, input_size_);
    if (blob.type() != CV_32F || !blob.isContinuous() || blob.total() != output.size()) {
      throw Error(Error::Kind::kFailed, fmt::format("engine {} failed", to_string(kind_)),
                  fmt::format("{} has {} values, needed {}", to_string(tap), blob.total(), output.size()),
                  "choose --engine onednn");
    }
    from_planes(blob.ptr<float>(),
                static_cast<std::size_t>(shape.height) * static_cast<std::size_t>(shape.width),
                static_cast<std::size_t>(shape.channels), output);
  }

  EngineKind kind_;
  int batch_size_;
  int input_size_;
  std::vector<Tap> taps_;
  std::optional<Tap> from_;
  EngineDescription description_;
  std::vector<cv::String> output_names_;
  cv::dnn::Net network_;
  cv::Mat input_;
};

}  // namespace

std::string missing_for_cuda(const CudaFacts& facts, EngineKind kind) {
  const std::string opencv = cv::getVersionString();
  if (!facts.built_with_cuda) return fmt::format("this OpenCV ({}) was built without CUDA", opencv);
  if (facts.devices < 0) return "the NVIDIA driver is missing or too old for this OpenCV's CUDA";
  if (facts.devices == 0) return "no CUDA device was found";
  if (!facts.dnn_target_works && kind == EngineKind::kOpencvCudaFp16) {
    return fmt::format("the DNN module of this OpenCV ({}) offers no 16-bit CUDA target on this device",
                       opencv);
  }
  if (!facts.dnn_target_works) {
    return fmt::format(
        "the DNN module of this OpenCV ({}) was built without CUDA (OPENCV_DNN_CUDA) or for other devices",
        opencv);
  }
  return {};
}

std::unique_ptr<Engine> open_opencv_engine(const Vgg16Weights& weights, const EngineOptions& options) {
  if (needs_cuda(options.kind)) {
    const std::string missing = missing_for_cuda(cuda_facts(options.kind), options.kind);
    if (!missing.empty()) throw not_available(options.kind, missing);
  }
  return std::make_unique<OpencvEngine>(weights, options);
}

EngineAvailability probe_opencv(EngineKind kind) {
  if (!needs_cuda(kind)) return {.kind = kind, .available = true, .detail = library_version()};
  const std::string missing = missing_for_cuda(cuda_facts(kind), kind);
  if (!missing.empty()) return {.kind = kind, .available = false, .detail = missing};
  return {.kind = kind,
          .available = true,
          .detail = fmt::format("{}, device {}", library_version(), cv::cuda::DeviceInfo().name())};
}

}  // namespace headstart
