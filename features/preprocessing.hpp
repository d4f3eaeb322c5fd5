// features/preprocessing.hpp: what the network wants its input to look like. Belongs to the weights and
// travels with them.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace headstart {

/// Of the channels that the first layer takes.
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

/// The same for weights whose first layer takes RGB: what torchvision documents for its IMAGENET1K_FEATURES
/// (the means are the rounded ones that their training took).
inline constexpr Preprocessing kCaffeRgbPreprocessing{
    ChannelOrder::kRgb, 1.0F, {123.0F, 117.0F, 104.0F}, {1.0F, 1.0F, 1.0F}};

/// torchvision's and timm's: RGB on 0..1 minus the ImageNet mean, over its standard deviation.
inline constexpr Preprocessing kTorchvisionPreprocessing{
    ChannelOrder::kRgb, 1.0F / 255.0F, {0.485F, 0.456F, 0.406F}, {0.229F, 0.224F, 0.225F}};

/// The same input for a first layer whose channels are in the other order.
[[nodiscard]] Preprocessing exchanged(Preprocessing preprocessing) noexcept;

/// "caffe", "caffe-rgb" or "torchvision" for those above, "custom" else.
[[nodiscard]] std::string to_string(const Preprocessing& preprocessing);
/// The preprocessing of such a name.
[[nodiscard]] std::optional<Preprocessing> parse_preprocessing(std::string_view name);
/// E.g. "BGR, 0..255, minus 103.939, 116.779, 123.68".
[[nodiscard]] std::string in_words(const Preprocessing& preprocessing);

/// In place, on [pixels, 3]: RGB 0..255 becomes network input.
void preprocess(const Preprocessing& preprocessing, std::span<float> pixels) noexcept;

}  // namespace headstart
