// features/network/preprocessing.cpp: see preprocessing.hpp.
#include "features/network/preprocessing.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <set>
#include <utility>
#include <vector>

namespace headstart {
namespace {

// Of several names for the same numbers the first one is written.
constexpr std::array<std::pair<std::string_view, Preprocessing>, 9> kNamed{{
    {"caffe", kCaffePreprocessing},
    {"caffe-rgb", kCaffeRgbPreprocessing},
    {"torchvision", kTorchvisionPreprocessing},
    {"imagenet", kTorchvisionPreprocessing},
    {"tf", kTfPreprocessing},
    {"inception", kTfPreprocessing},  // timm's name
    {"unit", kUnitPreprocessing},
    {"clip", kClipPreprocessing},
    {"openai", kClipPreprocessing},
}};

std::optional<float> parse_number(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto parse = [](std::string_view part) {
    float value = 0.0F;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value);
    const bool whole = error == std::errc() && end == part.data() + part.size() && std::isfinite(value);
    return whole ? std::optional(value) : std::nullopt;
  };
  if (slash == std::string_view::npos) return parse(text);
  const auto above = parse(text.substr(0, slash));
  const auto below = parse(text.substr(slash + 1));
  return above && below && *below != 0.0F ? std::optional(*above / *below) : std::nullopt;
}

/// One number for all channels, or three.
bool assign_channels(const std::vector<std::string_view>& numbers, std::array<float, 3>& channels) {
  if (numbers.size() != 1 && numbers.size() != channels.size()) return false;
  for (std::size_t c = 0; c < channels.size(); ++c) {
    const auto number = parse_number(numbers[numbers.size() == 1 ? 0 : c]);
    if (!number) return false;
    channels[c] = *number;
  }
  return true;
}

bool assign(std::string_view key, const std::vector<std::string_view>& values, Preprocessing& to) {
  if (key == "mean") return assign_channels(values, to.mean);
  if (key == "std") {
    return assign_channels(values, to.deviation) &&
           std::all_of(to.deviation.begin(), to.deviation.end(),
                       [](float value) { return value > 0.0F && std::isnormal(value); });
  }
  if (values.size() != 1) return false;
  if (key == "scale") {
    const auto scale = parse_number(values.front());
    to.scale = scale.value_or(0.0F);
    return std::isnormal(to.scale);
  }
  if (key != "order" || (values.front() != "rgb" && values.front() != "bgr")) return false;
  to.order = values.front() == "rgb" ? ChannelOrder::kRgb : ChannelOrder::kBgr;
  return true;
}

/// "mean=0.5,0.5,0.5,std=0.25,scale=1/255,order=rgb": what is not said leaves the pixel as it is.
std::optional<Preprocessing> parse_numbers(std::string_view text) {
  Preprocessing result{ChannelOrder::kRgb, 1.0F, {}, {1.0F, 1.0F, 1.0F}};
  std::string_view key;
  std::vector<std::string_view> values;
  std::set<std::string_view> seen;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t comma = std::min(text.find(',', at), text.size());
    std::string_view word = text.substr(at, comma - at);
    at = comma + 1;
    if (const std::size_t equals = word.find('='); equals != std::string_view::npos) {
      if (!key.empty() && !assign(key, values, result)) return std::nullopt;
      key = word.substr(0, equals);
      if (!seen.insert(key).second) return std::nullopt;
      values.clear();
      word.remove_prefix(equals + 1);
    }
    if (key.empty()) return std::nullopt;
    values.push_back(word);
  }
  return assign(key, values, result) ? std::optional(result) : std::nullopt;
}

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

std::optional<Preprocessing> parse_preprocessing(std::string_view text) {
  for (const auto& [known, preprocessing] : kNamed) {
    if (known == text) return preprocessing;
  }
  return parse_numbers(text);
}

std::string preprocessing_names() {
  std::string names;
  for (const auto& [name, preprocessing] : kNamed)
    names += fmt::format("{}{}", names.empty() ? "" : ", ", name);
  return names;
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
