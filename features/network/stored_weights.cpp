// features/network/stored_weights.cpp: see stored_weights.hpp.
#include "features/network/stored_weights.hpp"

#include <fmt/format.h>

#include <stdexcept>
#include <utility>

#include "features/network/all_finite.hpp"

namespace headstart {
namespace {

/// Row-major values with axes of `shape` as [row, column, in, out]. @param axes  as in KernelAxes
std::vector<float> hwio(const std::vector<float>& values, const TensorShape& shape, const KernelAxes& axes) {
  std::array<std::size_t, 4> strides{};
  std::size_t stride = 1;
  for (std::size_t axis = 4; axis-- > 0;) {
    strides[axis] = stride;
    stride *= shape[axis];
  }
  const auto extent = [&](std::size_t meaning) { return static_cast<std::size_t>(shape[axes[meaning]]); };
  const auto step = [&](std::size_t meaning) { return strides[axes[meaning]]; };
  std::vector<float> result(values.size());
  float* to = result.data();
  for (std::size_t row = 0; row < extent(2); ++row) {
    for (std::size_t column = 0; column < extent(3); ++column) {
      for (std::size_t in = 0; in < extent(1); ++in) {
        const float* from = values.data() + row * step(2) + column * step(3) + in * step(1);
        for (std::size_t out = 0; out < extent(0); ++out) *to++ = from[out * step(0)];
      }
    }
  }
  return result;
}

std::vector<float> finite_values(const StoredTensor& tensor, std::string_view layer, std::string_view what,
                                 const WeightsSource& source) {
  std::vector<float> values = decode_floats(tensor.type, tensor.bytes);
  if (!all_finite(values)) throw weights_not_finite(source, fmt::format("{} {}", layer, what));
  return values;
}

void check_shapes(const StoredConvolution& stored, const NetworkLayer& layer, const WeightsSource& source) {
  const auto in = static_cast<std::uint64_t>(layer.in_channels);
  const auto out = static_cast<std::uint64_t>(layer.out_channels);
  const auto window = static_cast<std::uint64_t>(layer.window);
  const TensorShape meanings{out, in, window, window};
  TensorShape needed(4);  // the shape that the file should have
  for (std::size_t meaning = 0; meaning < 4; ++meaning) needed[stored.axes[meaning]] = meanings[meaning];
  if (stored.kernel.shape != needed) {
    throw unfit_weights(source, fmt::format("{} kernel ({}) is {}, needed {}", layer.name, stored.kernel.name,
                                            shape_text(stored.kernel.shape), shape_text(needed)));
  }
  if (!stored.bias) return;
  // Broadcasting may have added axes of length 1 around a bias. Any other shape is no bias.
  TensorShape bias;
  for (const std::uint64_t extent : stored.bias->shape) {
    if (extent != 1) bias.push_back(extent);
  }
  if (bias != TensorShape{out}) {
    throw unfit_weights(source, fmt::format("{} bias ({}) is {}, needed {}", layer.name, stored.bias->name,
                                            shape_text(stored.bias->shape), out));
  }
}

void check_bytes(const StoredTensor& tensor, std::string_view layer, std::string_view what,
                 const WeightsSource& source) {
  if (tensor.bytes.size() == element_count(tensor.shape) * bytes_of(tensor.type)) return;
  throw damaged_weights(source, fmt::format("{} {} ({}) is {}, but has {} bytes", layer, what, tensor.name,
                                            shape_text(tensor.shape), tensor.bytes.size()));
}

}  // namespace

void check_convolutions(const StoredConvolutions& stored, const WeightsSource& source) {
  const std::vector<NetworkLayer> layers = convolutions(source.network);
  for (std::size_t i = 0; i < layers.size(); ++i) check_shapes(stored.at(i), layers[i], source);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    check_bytes(stored[i].kernel, layers[i].name, "kernel", source);
    if (stored[i].bias) check_bytes(*stored[i].bias, layers[i].name, "bias", source);
  }
}

std::vector<ConvolutionWeights> decode_convolutions(const StoredConvolutions& stored,
                                                    const WeightsSource& source) {
  check_convolutions(stored, source);
  std::vector<ConvolutionWeights> decoded;
  for (const NetworkLayer& layer : convolutions(source.network)) {
    const StoredConvolution& convolution = stored[decoded.size()];
    std::vector<float> kernel = hwio(finite_values(convolution.kernel, layer.name, "kernel", source),
                                     convolution.kernel.shape, convolution.axes);
    std::vector<float> bias = convolution.bias
                                  ? finite_values(*convolution.bias, layer.name, "bias", source)
                                  : std::vector<float>(static_cast<std::size_t>(layer.out_channels));
    decoded.push_back({std::move(kernel), std::move(bias)});
  }
  return decoded;
}

Error unfit_weights(const WeightsSource& source, std::string_view why, std::string_view advice) {
  const Network& network = source.network;
  return Error{
      Error::Kind::kFailed, fmt::format("weights do not fit {}", network.title),
      fmt::format("{}: {}", source.file, why),
      advice.empty() ? fmt::format("pass a {} file to --weights", network.title) : std::string(advice)};
}

Error damaged_weights(const WeightsSource& source, std::string_view why) {
  return Error{Error::Kind::kFailed, "cannot read the weights", fmt::format("{}: {}", source.file, why),
               "get an intact copy"};
}

Error weights_not_finite(const WeightsSource& source, std::string_view what) {
  return unfit_weights(source, fmt::format("{} has values that are infinite or no numbers", what),
                       "get an intact copy, or the weights of a training that did not diverge");
}

}  // namespace headstart
