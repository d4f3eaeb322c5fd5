// features/network/preprocessing.hpp: how pixels become the network's input. The preprocessing belongs to the
// weights and is stored with them.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace headstart {

/// The order of the channels that the first layer takes.
enum class ChannelOrder { kRgb, kBgr };

/// The word for it on the command line and in files.
[[nodiscard]] constexpr std::string_view to_string(ChannelOrder order) noexcept {
  switch (order) {
    case ChannelOrder::kRgb:
      return "rgb";
    case ChannelOrder::kBgr:
      return "bgr";
  }
  return {};
}

/// value = (pixel * scale - mean[c]) / deviation[c]. The channels, and so mean and deviation, are in `order`.
struct Preprocessing {
  ChannelOrder order = ChannelOrder::kBgr;
  float scale = 1.0F;
  std::array<float, 3> mean{103.939F, 116.779F, 123.68F};
  std::array<float, 3> deviation{1.0F, 1.0F, 1.0F};

  bool operator==(const Preprocessing&) const = default;
};

/// Preprocessing of Keras's and Caffe's VGG16: BGR minus the ImageNet mean, on 0..255.
inline constexpr Preprocessing kCaffePreprocessing{};

/// Like kCaffePreprocessing, for weights whose first layer takes RGB. torchvision documents it for its
/// IMAGENET1K_FEATURES. (The means are the rounded ones of their training.)
inline constexpr Preprocessing kCaffeRgbPreprocessing{
    ChannelOrder::kRgb, 1.0F, {123.0F, 117.0F, 104.0F}, {1.0F, 1.0F, 1.0F}};

/// Preprocessing of torchvision and timm: RGB on 0..1 minus the ImageNet mean, over its standard deviation.
inline constexpr Preprocessing kTorchvisionPreprocessing{
    ChannelOrder::kRgb, 1.0F / 255.0F, {0.485F, 0.456F, 0.406F}, {0.229F, 0.224F, 0.225F}};

/// TensorFlow's, and timm's Inception: RGB on -1..1.
inline constexpr Preprocessing kTfPreprocessing{
    ChannelOrder::kRgb, 1.0F / 127.5F, {1.0F, 1.0F, 1.0F}, {1.0F, 1.0F, 1.0F}};

/// RGB on 0..1.
inline constexpr Preprocessing kUnitPreprocessing{ChannelOrder::kRgb, 1.0F / 255.0F, {}, {1.0F, 1.0F, 1.0F}};

/// CLIP's: RGB on 0..1 minus the mean of its images, over their standard deviation (Radford et al.,
/// arXiv 2103.00020; the numbers are those of OpenAI's code).
inline constexpr Preprocessing kClipPreprocessing{ChannelOrder::kRgb,
                                                  1.0F / 255.0F,
                                                  {0.48145466F, 0.4578275F, 0.40821073F},
                                                  {0.26862954F, 0.26130258F, 0.27577711F}};

/// The same preprocessing for a first layer whose channels are in the other order.
[[nodiscard]] Preprocessing exchanged(Preprocessing preprocessing) noexcept;

/// The name of one of those above, else "custom".
[[nodiscard]] std::string to_string(const Preprocessing& preprocessing);
/// The preprocessing of that name; or of numbers, for RGB or BGR, with one or three for mean and std, such as
/// "mean=0.485,0.456,0.406,std=0.225,scale=1/255,order=rgb". What is not said leaves the pixel as it is.
[[nodiscard]] std::optional<Preprocessing> parse_preprocessing(std::string_view text);
/// All names, for messages.
[[nodiscard]] std::string preprocessing_names();
/// E.g. "BGR, 0..255, minus 103.939, 116.779, 123.68".
[[nodiscard]] std::string in_words(const Preprocessing& preprocessing);

/// Turns RGB 0..255 into network input, in place, on [pixels, 3].
void preprocess(const Preprocessing& preprocessing, std::span<float> pixels) noexcept;

}  // namespace headstart
