// features/engines/opencv_network.cpp
#include "features/engines/opencv_network.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <opencv2/core/utility.hpp>
#include <opencv2/dnn/layer.hpp>

#include "data/error.hpp"

namespace headstart {
namespace {

/// From [window, window, in, out], Keras's order, to [out, in, window, window], OpenCV's order.
cv::Mat oihw(const ConvolutionWeights& weights, const NetworkLayer& layer) {
  const int in_channels = layer.in_channels;
  const int out_channels = layer.out_channels;
  const std::array<int, 4> shape{out_channels, in_channels, layer.window, layer.window};
  const int taps = layer.window * layer.window;
  cv::Mat kernel(4, shape.data(), CV_32F);
  const float* from = weights.kernel.data();
  auto* to = kernel.ptr<float>();
  for (int tap = 0; tap < taps; ++tap) {
    for (int in = 0; in < in_channels; ++in) {
      for (int out = 0; out < out_channels; ++out) {
        to[(static_cast<std::ptrdiff_t>(out) * in_channels + in) * taps + tap] = *from++;
      }
    }
  }
  return kernel;
}

cv::dnn::LayerParams convolution_params(const ConvolutionWeights& weights, const NetworkLayer& layer) {
  cv::dnn::LayerParams params;
  params.set("kernel_size", layer.window);
  params.set("stride", 1);
  params.set("pad", layer.window / 2);
  params.set("num_output", layer.out_channels);
  params.set("bias_term", true);
  params.blobs.push_back(oihw(weights, layer));
  params.blobs.push_back(cv::Mat(weights.bias, /*copyData=*/true).reshape(1, 1));
  return params;
}

cv::dnn::LayerParams pool_params(const NetworkLayer& layer) {
  cv::dnn::LayerParams params;
  params.set("pool", "max");
  params.set("kernel_size", layer.window);
  params.set("stride", layer.window);
  params.set("ceil_mode", false);  // the importers' default, true, would make 13 x 13 of 25 x 25
  return params;
}

/// Calls convert(image) for each of `images`, on OpenCV's threads. A device would have to wait for a single
/// thread.
template <typename Convert>
void for_each_image(std::size_t images, const Convert& convert) {
  cv::parallel_for_(cv::Range(0, static_cast<int>(images)), [&](const cv::Range& range) {
    for (int image = range.start; image < range.end; ++image) convert(static_cast<std::size_t>(image));
  });
}

/// [n, pixels, channels] to [n, channels, pixels].
void to_planes(std::span<const float> from, std::size_t pixels, std::size_t channels, float* to) {
  const std::size_t size = pixels * channels;
  for_each_image(from.size() / size, [&](std::size_t image) {
    const float* source = from.data() + image * size;
    float* target = to + image * size;
    for (std::size_t channel = 0; channel < channels; ++channel) {
      for (std::size_t pixel = 0; pixel < pixels; ++pixel) *target++ = source[pixel * channels + channel];
    }
  });
}

/// [n, channels, pixels] to [n, pixels, channels].
void from_planes(const float* from, std::size_t pixels, std::size_t channels, std::span<float> to) {
  const std::size_t size = pixels * channels;
  for_each_image(to.size() / size, [&](std::size_t image) {
    const float* source = from + image * size;
    float* target = to.data() + image * size;
    for (std::size_t channel = 0; channel < channels; ++channel) {
      for (std::size_t pixel = 0; pixel < pixels; ++pixel) target[pixel * channels + channel] = *source++;
    }
  });
}

}  // namespace

OpencvNetwork::OpencvNetwork(const NetworkWeights& weights, const EngineOptions& options, OpencvDevice device,
                             int rows)
    : rows_(rows),
      input_size_(options.input_size),
      definition_(weights.network),
      start_(start_shape(definition_, options.from, options.input_size)),
      taps_(options.taps) {
  for (const Tap& tap : taps_) output_names_.emplace_back(tap.name);
  std::size_t next = first_convolution(definition_, options.from);
  for (const NetworkLayer& layer : layers_between(definition_, options.from, highest(definition_, taps_))) {
    if (layer.kind == LayerKind::kMaxPool) {
      cv::dnn::LayerParams pool = pool_params(layer);
      network_.addLayerToPrev(layer.name, "Pooling", pool);
      continue;
    }
    cv::dnn::LayerParams convolution = convolution_params(weights.layers[next++], layer);
    network_.addLayerToPrev(layer.name, "Convolution", convolution);
    cv::dnn::LayerParams relu;
    network_.addLayerToPrev(layer.name + "_relu", "ReLU", relu);
  }
  network_.setPreferableBackend(device.backend);
  network_.setPreferableTarget(device.target);
  const std::array<int, 4> shape{rows_, start_.channels, start_.height, start_.width};
  input_.create(4, shape.data(), CV_32F);
}

void OpencvNetwork::run(std::span<const float> input, std::span<const std::span<float>> outputs) {
  const auto channels = static_cast<std::size_t>(start_.channels);
  to_planes(input, start_.size() / channels, channels, input_.ptr<float>());
  network_.setInput(input_);
  std::vector<cv::Mat> blobs;
  network_.forward(blobs, output_names_);
  for (std::size_t i = 0; i < outputs.size(); ++i) copy_out(taps_[i], blobs[i], outputs[i]);
}

std::vector<std::string> OpencvNetwork::layers_without(cv::dnn::Backend backend) {
  std::vector<std::string> names;
  for (const cv::String& name : network_.getLayerNames()) {
    if (!network_.getLayer(network_.getLayerId(name))->supportBackend(backend)) names.push_back(name);
  }
  return names;
}

void OpencvNetwork::copy_out(const Tap& tap, const cv::Mat& blob, std::span<float> output) const {
  const MapShape shape = tap_shape(definition_, tap, input_size_);
  if (blob.type() != CV_32F || !blob.isContinuous() || blob.total() != output.size()) {
    throw Error(Error::Kind::kFailed, "OpenCV gives activations of another shape",
                fmt::format("{} has {} values, needed {}", to_string(tap), blob.total(), output.size()),
                "choose --engine onednn");
  }
  from_planes(blob.ptr<float>(),
              static_cast<std::size_t>(shape.height) * static_cast<std::size_t>(shape.width),
              static_cast<std::size_t>(shape.channels), output);
}

}  // namespace headstart
