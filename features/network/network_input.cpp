// features/network/network_input.cpp: see network_input.hpp.
#include "features/network/network_input.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

namespace headstart {
namespace {

constexpr double kLargestPixel = 255.0;

/// Caffe's input spans 276, torchvision's 5. If pixels on 0..255 would reach further, they were not on
/// 0..255.
constexpr double kWidestInput = 300.0;

/// Whether `input` equals `named`, except for the rounding of a few float operations.
bool amounts_to(const NetworkInput& input, const Preprocessing& named) {
  constexpr double kRounding = 1e-6;
  for (std::size_t c = 0; c < 3; ++c) {
    const double deviation = named.deviation[c];
    const double factor = named.scale / deviation;
    const double offset = -named.mean[c] / deviation;
    if (!(std::abs(input.factor[c] - factor) <= kRounding * std::abs(factor))) return false;
    if (!(std::abs(input.offset[c] - offset) <= kRounding * std::abs(offset))) return false;
  }
  return true;
}

Preprocessing custom(const NetworkInput& input, ChannelOrder order) {
  Preprocessing result{order, 1.0F, {}, {1.0F, 1.0F, 1.0F}};
  const bool alike = input.factor[0] == input.factor[1] && input.factor[1] == input.factor[2];
  if (alike) result.scale = static_cast<float>(input.factor[0]);
  for (std::size_t c = 0; c < 3; ++c) {
    const double divisor = alike ? 1.0 : 1.0 / input.factor[c];
    result.mean[c] = static_cast<float>(0.0 - input.offset[c] * divisor);  // no negative zero
    result.deviation[c] = static_cast<float>(divisor);
  }
  return result;
}

}  // namespace

void NetworkInput::follow(const Channels& by, const Channels& plus) noexcept {
  for (std::size_t c = 0; c < 3; ++c) {
    const std::size_t other = reversed ? 2 - c : c;
    offset[c] += factor[c] * plus[other];
    factor[c] *= by[other];
  }
  changed = true;
}

void NetworkInput::follow_reversal() noexcept {
  reversed = !reversed;
  changed = true;
}

std::optional<Preprocessing> preprocessing_of(const NetworkInput& input,
                                              std::optional<ChannelOrder> kernel_order) {
  NetworkInput scaled = input;
  double widest = 0.0;
  for (std::size_t c = 0; c < 3; ++c) {
    const double factor = input.factor[c];
    if (!std::isfinite(factor) || factor == 0.0 || !std::isfinite(input.offset[c])) return std::nullopt;
    widest = std::max(widest, std::abs(factor) * kLargestPixel);
  }
  if (widest > kWidestInput) {
    for (double& factor : scaled.factor) factor /= kLargestPixel;
  }
  const ChannelOrder order = input.reversed ? ChannelOrder::kBgr : ChannelOrder::kRgb;
  for (const Preprocessing& named :
       {kCaffePreprocessing, kCaffeRgbPreprocessing, kTorchvisionPreprocessing}) {
    for (const Preprocessing& known : {named, exchanged(named)}) {
      if (!amounts_to(scaled, known)) continue;
      // The means tell the order, even for a model whose input is BGR. The exception: the layers and the
      // kernel agree on the other order.
      Preprocessing result = known;
      if (order != known.order && kernel_order == order) result.order = order;
      return result;
    }
  }
  return custom(scaled, order);
}

}  // namespace headstart
