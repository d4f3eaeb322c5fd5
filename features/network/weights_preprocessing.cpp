// features/network/weights_preprocessing.cpp: see weights_preprocessing.hpp.
#include "features/network/weights_preprocessing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include "data/error.hpp"
#include "memory/enum_names.hpp"

namespace headstart {
namespace {

constexpr std::size_t kFilters = 64;
constexpr std::size_t kChannels = 3;

/// The centre of block1_conv1's filters in models/vgg16_imagenet_notop.h5, in hundredths: blue, green, red.
using Filter = std::array<int, kChannels>;
constexpr std::array<Filter, kFilters> kSignature{
    {{4, 4, 5},      {20, 7, -18},    {16, 22, 15},    {-36, -42, -39}, {18, 21, 24},    {27, -24, -10},
     {-5, -4, -8},   {-15, -11, -4},  {8, -34, 20},    {10, -9, -14},   {49, 53, 51},    {9, 25, 9},
     {-11, 44, -14}, {17, 12, -6},    {-40, -44, -40}, {3, -33, 4},     {-11, -15, 23},  {10, 21, 11},
     {11, -34, -2},  {-16, -21, 19},  {9, -12, -13},   {-8, -8, -3},    {18, -5, -22},   {0, -28, -12},
     {3, 9, -6},     {15, 16, -17},   {-10, -11, -10}, {-13, 26, 12},   {-43, -47, -43}, {-18, 1, 28},
     {17, 22, 14},   {-1, 1, 4},      {-6, -1, 12},    {28, 12, 27},    {37, 40, 38},    {14, 16, 15},
     {9, 4, -23},    {33, 36, 38},    {0, 7, -10},     {2, -25, -17},   {2, 24, 4},      {-17, -41, -27},
     {2, 3, 1},      {-33, -32, -31}, {14, 22, 6},     {-25, -26, -25}, {12, 24, 30},    {-1, 0, -1},
     {-3, 2, 8},     {2, -16, -24},   {4, 16, -15},    {-22, -27, -24}, {-15, -28, 0},   {-14, -6, 1},
     {-3, -20, -12}, {1, 10, -12},    {-10, -26, -12}, {-13, -41, -24}, {27, 30, 29},    {-29, 18, 19},
     {14, 17, 14},   {-5, 0, -1},     {26, 27, 26},    {37, 41, 42}}};

struct Likeness {
  double cosine = 0.0;
  double length = 0.0;  ///< of the filters, as a multiple of the signature's
};

/// @param red_first  whether the filters' first channel is taken as red
Likeness likeness(std::span<const float> kernel, bool red_first) {
  double product = 0.0;
  double own = 0.0;
  double signature = 0.0;
  for (std::size_t filter = 0; filter < kFilters; ++filter) {
    for (std::size_t channel = 0; channel < kChannels; ++channel) {
      const std::size_t centre = std::size_t{4} * kChannels;  // of nine taps
      const auto value = static_cast<double>(kernel[(centre + channel) * kFilters + filter]);
      const std::size_t matching = red_first ? kChannels - 1 - channel : channel;
      const double expected = kSignature[filter][matching] / 100.0;
      product += value * expected;
      own += value * value;
      signature += expected * expected;
    }
  }
  if (own == 0.0) return {};
  return {product / std::sqrt(own * signature), std::sqrt(own / signature)};
}

}  // namespace

CaffeDescent caffe_descent(std::span<const float> kernel) {
  if (kernel.size() != std::size_t{9} * kChannels * kFilters)
    throw std::invalid_argument("caffe_descent wants block1_conv1's kernel");
  const Likeness bgr = likeness(kernel, false);
  const Likeness rgb = likeness(kernel, true);
  const Likeness& closer = bgr.cosine >= rgb.cosine ? bgr : rgb;
  // Scaled filters (by 255, say, for an input on 0..1) need another input than the original ones.
  if (!(closer.cosine >= 0.9 && closer.length >= 0.5 && closer.length <= 2.0)) return CaffeDescent::kNone;
  return &closer == &bgr ? CaffeDescent::kBgr : CaffeDescent::kRgb;
}

std::string preprocessing_statement(const Preprocessing& preprocessing) {
  const std::string name = to_string(preprocessing);
  if (parse_preprocessing(name)) return name;
  return nlohmann::ordered_json{{"channels", std::string(to_string(preprocessing.order))},
                                {"scale", preprocessing.scale},
                                {"mean", preprocessing.mean},
                                {"deviation", preprocessing.deviation}}
      .dump();
}

std::optional<Preprocessing> parse_preprocessing_statement(std::string_view text) try {
  if (const auto named = parse_preprocessing(text)) return named;
  const auto json = nlohmann::json::parse(text);
  const auto order = parse_name<ChannelOrder>(json.at("channels").get<std::string>());
  if (!order) return std::nullopt;
  const Preprocessing stated{*order, json.at("scale").get<float>(),
                             json.at("mean").get<std::array<float, 3>>(),
                             json.at("deviation").get<std::array<float, 3>>()};
  const auto usable = [](float divisor) { return std::isnormal(divisor); };
  const auto finite = [](float value) { return std::isfinite(value); };
  const bool fits = usable(stated.scale) && std::ranges::all_of(stated.deviation, usable) &&
                    std::ranges::all_of(stated.mean, finite);
  return fits ? std::optional(stated) : std::nullopt;
} catch (const nlohmann::json::exception&) {
  return std::nullopt;
}

PreprocessingChoice choose_preprocessing(std::span<const float> kernel, WeightsOrigin origin,
                                         std::string_view stated, const WeightsSource& source,
                                         const NetworkInput& input) {
  const std::string advice = fmt::format(
      "write caffe, caffe-rgb or torchvision as {} into its metadata (docs/weights.md)", kPreprocessingKey);
  if (!stated.empty()) {
    const std::optional<Preprocessing> preprocessing = parse_preprocessing_statement(stated);
    if (!preprocessing) {
      throw unfit_weights(
          source,
          printable(fmt::format("its metadata has {} = '{}'", kPreprocessingKey, stated.substr(0, 200))),
          "write caffe, caffe-rgb or torchvision there");
    }
    return {*preprocessing, "the file's metadata says so"};
  }
  const CaffeDescent descent = caffe_descent(kernel);
  if (input.changed && input.unreadable.empty()) {
    std::optional<ChannelOrder> order;
    if (descent != CaffeDescent::kNone)
      order = descent == CaffeDescent::kBgr ? ChannelOrder::kBgr : ChannelOrder::kRgb;
    const auto preprocessing = preprocessing_of(input, order);
    if (!preprocessing)
      throw unfit_weights(source, "the layers before its first convolution give no input", advice);
    return {*preprocessing, "the layers before the first convolution say so"};
  }
  switch (descent) {
    case CaffeDescent::kBgr:
      return {kCaffePreprocessing, "the first layer is the Caffe model's"};
    case CaffeDescent::kRgb:
      return {kCaffeRgbPreprocessing, "the first layer is the Caffe model's, for RGB"};
    case CaffeDescent::kNone:
      break;
  }
  if (!input.unreadable.empty()) {
    throw unfit_weights(
        source, fmt::format("its input goes through {}, which can't be read", input.unreadable), advice);
  }
  switch (origin) {
    case WeightsOrigin::kKeras:
      return {source.network.preprocessing, "the file comes from Keras"};
    case WeightsOrigin::kTorchvision:
      return {kTorchvisionPreprocessing, "the file comes from PyTorch"};
    case WeightsOrigin::kUnknown:
      break;
  }
  throw unfit_weights(source, "nothing in it tells which input it wants", advice);
}

void adopt_preprocessing(NetworkWeights& weights, PreprocessingChoice choice) {
  const Preprocessing other = exchanged(choice.preprocessing);
  const bool known = parse_preprocessing(to_string(choice.preprocessing)).has_value();
  if (!known && parse_preprocessing(to_string(other))) {
    std::vector<float>& kernel = weights.layers.front().kernel;
    for (std::size_t tap = 0; tap < kernel.size() / (kChannels * kFilters); ++tap) {
      const auto red = kernel.begin() + static_cast<std::ptrdiff_t>(tap * kChannels * kFilters);
      const auto blue = red + static_cast<std::ptrdiff_t>((kChannels - 1) * kFilters);
      std::swap_ranges(red, red + static_cast<std::ptrdiff_t>(kFilters), blue);
    }
    choice.preprocessing = other;
  }
  weights.preprocessing = choice.preprocessing;
  weights.preprocessing_reason = std::move(choice.reason);
  weights.identity = weights_identity(weights.network, weights.layers);
}

}  // namespace headstart
