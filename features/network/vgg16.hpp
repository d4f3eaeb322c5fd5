// features/network/vgg16.hpp: VGG16's convolutional part as data (Simonyan and Zisserman, arXiv 1409.1556,
// table 1, column D). Every convolution is 3x3, stride 1, zero padding 1, followed by ReLU. Every VGG block
// ends with a 2x2 max-pool of stride 2.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace headstart {

/// One 3x3 convolution.
struct ConvolutionLayer {
  std::string_view name;  ///< Keras's layer name
  int block;              ///< VGG block, 1..5
  int in_channels;
  int out_channels;
};

inline constexpr std::array<ConvolutionLayer, 13> kVgg16Convolutions{{
    {"block1_conv1", 1, 3, 64},
    {"block1_conv2", 1, 64, 64},
    {"block2_conv1", 2, 64, 128},
    {"block2_conv2", 2, 128, 128},
    {"block3_conv1", 3, 128, 256},
    {"block3_conv2", 3, 256, 256},
    {"block3_conv3", 3, 256, 256},
    {"block4_conv1", 4, 256, 512},
    {"block4_conv2", 4, 512, 512},
    {"block4_conv3", 4, 512, 512},
    {"block5_conv1", 5, 512, 512},
    {"block5_conv2", 5, 512, 512},
    {"block5_conv3", 5, 512, 512},
}};

/// Whether a pool follows the convolution at this position of kVgg16Convolutions.
[[nodiscard]] constexpr bool ends_block(std::size_t convolution) noexcept {
  return convolution + 1 == kVgg16Convolutions.size() ||
         kVgg16Convolutions[convolution + 1].block != kVgg16Convolutions[convolution].block;
}

/// The rows of kVgg16Convolutions from `first_block` on.
[[nodiscard]] std::span<const ConvolutionLayer> convolutions_from(int first_block) noexcept;

/// The pool that ends a VGG block; its output can be cached.
enum class Tap { kBlock1Pool, kBlock2Pool, kBlock3Pool, kBlock4Pool, kBlock5Pool };

inline constexpr std::array<Tap, 5> kAllTaps{Tap::kBlock1Pool, Tap::kBlock2Pool, Tap::kBlock3Pool,
                                             Tap::kBlock4Pool, Tap::kBlock5Pool};

/// "block1_pool" ... "block5_pool".
[[nodiscard]] std::string_view to_string(Tap tap) noexcept;
/// The tap of that name; nothing if there is none.
[[nodiscard]] std::optional<Tap> parse_tap(std::string_view name) noexcept;

/// 1..5.
[[nodiscard]] constexpr int block_of(Tap tap) noexcept { return static_cast<int>(tap) + 1; }

/// Position in kVgg16Convolutions of the first convolution that runs if the network begins at `from`
/// (nothing: at the image).
[[nodiscard]] std::size_t first_convolution(std::optional<Tap> from) noexcept;

/// Shape of one image's activations, which are stored as (row, column, channel).
struct MapShape {
  int height = 0;
  int width = 0;
  int channels = 0;

  /// How many activations one image has.
  [[nodiscard]] constexpr std::size_t size() const noexcept {
    return static_cast<std::size_t>(height) * static_cast<std::size_t>(width) *
           static_cast<std::size_t>(channels);
  }
  bool operator==(const MapShape&) const = default;
};

/// Shape of `tap` for a square input. Pools round down, as in Keras. At 224, block5_pool is 7 x 7 x 512.
[[nodiscard]] MapShape tap_shape(Tap tap, int input_size) noexcept;

/// Shape of one image's input to the network: the preprocessed image, or its activations at `from`.
[[nodiscard]] MapShape start_shape(std::optional<Tap> from, int input_size) noexcept;

/// Smallest and largest --input-size. After five halvings at least one pixel has to be left.
inline constexpr int kMinInputSize = 32;
inline constexpr int kMaxInputSize = 1024;

}  // namespace headstart
