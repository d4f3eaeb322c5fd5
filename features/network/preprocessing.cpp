// features/network/preprocessing.cpp: see preprocessing.hpp.
#include "features/network/preprocessing.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstddef>
#include <utility>

namespace headstart {
namespace {

constexpr std::array<std::pair<std::string_view, Preprocessing>, 3> kNamed{{
    {"caffe", kCaffePreprocessing},
    {"caffe-rgb", kCaffeRgbPreprocessing},
    {"torchvision", kTorchvisionPreprocessing},
}};

}  // namespace

Preprocessing exchanged(Preprocessing preprocessing) noexcept {
  preprocessing.order = preprocessing.order == ChannelOrder::kBgr ? ChannelOrder::kRgb : ChannelOrder::kBgr;
  std::swap(preprocessing.mean[0], preprocessing.mean[2]);
  std::swap(preprocessing.deviation[0], preprocessing.deviation[2]);
  return preprocessing;
}

std::string to_string(const Preprocessing& preprocessing) {
  for (const auto& [name, named] : kNamed) {
    if (preprocessing == named) return std::string(name);
  }
  return "custom";
}

std::optional<Preprocessing> parse_preprocessing(std::string_view name) {
  for (const auto& [known, preprocessing] : kNamed) {
    if (known == name) return preprocessing;
  }
  return std::nullopt;
}

std::string in_words(const Preprocessing& preprocessing) {
  const auto& [order, scale, mean, deviation] = preprocessing;
  std::string text = fmt::format("{}, 0..{:.6g}, minus {}", order == ChannelOrder::kBgr ? "BGR" : "RGB",
                                 255.0F * scale, fmt::join(mean, ", "));
  if (deviation != std::array{1.0F, 1.0F, 1.0F}) text += fmt::format(", over {}", fmt::join(deviation, ", "));
  return text;
}

void preprocess(const Preprocessing& preprocessing, std::span<float> pixels) noexcept {
  const auto [order, scale, mean, deviation] = preprocessing;
  for (std::size_t i = 0; i + 2 < pixels.size(); i += 3) {
    if (order == ChannelOrder::kBgr) std::swap(pixels[i], pixels[i + 2]);
    for (std::size_t c = 0; c < 3; ++c) pixels[i + c] = (pixels[i + c] * scale - mean[c]) / deviation[c];
  }
}

}  // namespace headstart
