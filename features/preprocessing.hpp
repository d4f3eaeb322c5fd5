// features/preprocessing.hpp: what the network wants its input to look like. Belongs to the weights and
// travels with them.
#pragma once

#include <array>
#include <span>
#include <string>

namespace headstart {

enum class ChannelOrder { kRgb, kBgr };

/// value = (pixel * scale - mean[c]) / deviation[c], with channels in `order`; mean and deviation follow
/// `order`.
struct Preprocessing {
  ChannelOrder order = ChannelOrder::kBgr;
  float scale = 1.0F;
  std::array<float, 3> mean{103.939F, 116.779F, 123.68F};
  std::array<float, 3> deviation{1.0F, 1.0F, 1.0F};

  bool operator==(const Preprocessing&) const = default;
};

/// Keras's and Caffe's VGG16: BGR minus the ImageNet mean, on 0..255.
inline constexpr Preprocessing kCaffePreprocessing{};

/// "caffe" for the one above, "custom" else.
[[nodiscard]] std::string to_string(const Preprocessing& preprocessing);

/// In place, on [pixels, 3]: RGB 0..255 becomes network input.
void preprocess(const Preprocessing& preprocessing, std::span<float> pixels) noexcept;

}  // namespace headstart
