// features/extractor_configuration.cpp: see extractor_configuration.hpp.
#include "features/extractor_configuration.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <string>

namespace headstart {
namespace {

/// Raised whenever the same configuration would give other numbers than before: old rows are then not found
/// any more.
constexpr int kFormatVersion = 1;

/// The double whose shortest spelling is that of the float, so that extractor.json says 103.939 rather than
/// 103.93900299072266.
double readable(float value) {
  const std::string text = fmt::format("{}", value);
  double result = 0.0;
  std::from_chars(text.data(), text.data() + text.size(), result);  // not strtod: it follows the locale
  return result;
}

nlohmann::json readable(const std::array<float, 3>& values) {
  return {readable(values[0]), readable(values[1]), readable(values[2])};
}

}  // namespace

std::string ExtractorConfiguration::canonical_json() const {
  const nlohmann::json json{
      // nlohmann::json sorts keys
      {"format_version", kFormatVersion},
      {"network", "vgg16"},
      {"weights_identity", weights_identity.hex()},
      {"preprocessing",
       {{"channels", preprocessing.order == ChannelOrder::kBgr ? "bgr" : "rgb"},
        {"scale", readable(preprocessing.scale)},
        {"mean", readable(preprocessing.mean)},
        {"deviation", readable(preprocessing.deviation)}}},
      {"input_size", resize.size},
      {"resize", resize.mode == ResizeMode::kStretch ? "stretch" : "crop"},
      {"interpolation", resize.interpolation == Interpolation::kBilinear ? "bilinear" : "nearest"},
      {"colour", "grey and CMYK to RGB, 16 bit to its high byte"},
      {"alpha", alpha == Alpha::kWhite ? "white" : "drop"},
      {"orientation", ignore_exif ? "stored" : "exif"},
      {"precision", std::string(to_string(precision))}};
  return json.dump() + "\n";
}

std::string ExtractorConfiguration::fingerprint() const {
  return sha256(canonical_json()).hex().substr(0, 16);
}

}  // namespace headstart
