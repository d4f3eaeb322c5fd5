// features/network/vgg16.cpp: see vgg16.hpp.
#include "features/network/vgg16.hpp"

#include <algorithm>

namespace headstart {
namespace {

constexpr std::array<std::string_view, 5> kTapNames{"block1_pool", "block2_pool", "block3_pool",
                                                    "block4_pool", "block5_pool"};

/// Channels at the end of a VGG block: those of its last convolution.
constexpr int channels_of(int block) {
  int channels = 0;
  for (const ConvolutionLayer& layer : kVgg16Convolutions) {
    if (layer.block == block) channels = layer.out_channels;
  }
  return channels;
}
static_assert(channels_of(1) == 64 && channels_of(5) == 512);

}  // namespace

std::span<const ConvolutionLayer> convolutions_from(int first_block) noexcept {
  const auto first = std::find_if(kVgg16Convolutions.begin(), kVgg16Convolutions.end(),
                                  [&](const ConvolutionLayer& layer) { return layer.block >= first_block; });
  return {first, kVgg16Convolutions.end()};
}

std::string_view to_string(Tap tap) noexcept { return kTapNames[static_cast<std::size_t>(tap)]; }

std::optional<Tap> parse_tap(std::string_view name) noexcept {
  for (const Tap tap : kAllTaps) {
    if (to_string(tap) == name) return tap;
  }
  return std::nullopt;
}

std::size_t first_convolution(std::optional<Tap> from) noexcept {
  if (!from) return 0;
  return kVgg16Convolutions.size() - convolutions_from(block_of(*from) + 1).size();
}

MapShape tap_shape(Tap tap, int input_size) noexcept {
  const int side = input_size >> block_of(tap);  // each pool halves the side, rounding down
  return {side, side, channels_of(block_of(tap))};
}

MapShape start_shape(std::optional<Tap> from, int input_size) noexcept {
  return from ? tap_shape(*from, input_size) : MapShape{input_size, input_size, 3};
}

}  // namespace headstart
