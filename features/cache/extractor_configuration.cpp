// features/cache/extractor_configuration.cpp: see extractor_configuration.hpp.
#include "features/cache/extractor_configuration.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <string>

#include "features/json_integer.hpp"
#include "memory/enum_names.hpp"

namespace headstart {
namespace {

/// Raised if the same configuration would give other numbers than before. Old rows are then not found any
/// more.
constexpr int kFormatVersion = 1;

/// The double whose shortest decimal form is that of the float, so that extractor.json has 103.939, not
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

std::array<float, 3> three_floats(const nlohmann::json& json) {
  return {json.at(0).get<float>(), json.at(1).get<float>(), json.at(2).get<float>()};
}

/// Reads a value by its name; a name that there is not changes nothing.
template <NamedEnum E>
void read_name(const nlohmann::json& json, const char* key, E& value) {
  value = parse_name<E>(json.at(key).get<std::string>()).value_or(value);
}

/// Reads JSON of the expected form. Other values may become anything; parse() notices that.
ExtractorConfiguration read_configuration(const nlohmann::json& json) {
  ExtractorConfiguration result;
  if (const Network* const network = find_network(json.at("network").get<std::string>()))
    result.network = *network;
  result.weights_identity =
      Sha256::from_hex(json.at("weights_identity").get<std::string>()).value_or(Sha256{});
  const nlohmann::json& preprocessing = json.at("preprocessing");
  read_name(preprocessing, "channels", result.preprocessing.order);
  result.preprocessing.scale = preprocessing.at("scale").get<float>();
  result.preprocessing.mean = three_floats(preprocessing.at("mean"));
  result.preprocessing.deviation = three_floats(preprocessing.at("deviation"));
  result.resize.size = json_integer<int>(json.at("input_size"));
  read_name(json, "resize", result.resize.mode);
  read_name(json, "interpolation", result.resize.interpolation);
  if (json.contains("crop_share")) result.resize.crop_share = json.at("crop_share").get<double>();
  if (json.contains("antialias")) result.resize.antialias = json.at("antialias").get<bool>();
  read_name(json, "alpha", result.alpha);
  result.ignore_exif = json.at("orientation") == "stored";
  read_name(json, "precision", result.precision);
  if (json.contains("range")) result.range = parse_sample_range(json.at("range").get<std::string>());
  if (json.contains("storage")) result.storage = FeatureType::kFloat16;
  return result;
}

}  // namespace

std::optional<ExtractorConfiguration> ExtractorConfiguration::parse(std::string_view json) {
  try {
    const ExtractorConfiguration result = read_configuration(nlohmann::json::parse(json));
    const Network& network = result.network;
    const bool sane = result.resize.size >= network.min_input_size &&
                      result.resize.size <= network.max_input_size && is_crop_share(result.resize.crop_share);
    if (sane && result.canonical_json() == json) return result;
  } catch (const std::exception&) {  // nlohmann's or ours: the text is no configuration
  }
  return std::nullopt;
}

std::string ExtractorConfiguration::canonical_json() const {
  nlohmann::json json{// nlohmann::json sorts keys
                      {"format_version", kFormatVersion},
                      {"network", network.name},
                      {"weights_identity", weights_identity.hex()},
                      {"preprocessing",
                       {{"channels", std::string(to_string(preprocessing.order))},
                        {"scale", readable(preprocessing.scale)},
                        {"mean", readable(preprocessing.mean)},
                        {"deviation", readable(preprocessing.deviation)}}},
                      {"input_size", resize.size},
                      {"resize", std::string(to_string(resize.mode))},
                      {"interpolation", std::string(to_string(resize.interpolation))},
                      {"colour", "grey and CMYK to RGB, 16 bit to its high byte"},
                      {"alpha", std::string(to_string(alpha))},
                      {"orientation", ignore_exif ? "stored" : "exif"},
                      {"precision", std::string(to_string(precision))}};
  // Only if they differ from the values that all caches had before these options existed. So old fingerprints
  // stay the same.
  if (range) json["range"] = to_string(*range);
  if (resize.mode == ResizeMode::kShorterSide) json["crop_share"] = resize.crop_share;
  if (resize.antialias) json["antialias"] = true;
  if (storage != FeatureType::kFloat32) json["storage"] = std::string(to_string(storage));
  return json.dump() + "\n";
}

std::string ExtractorConfiguration::fingerprint() const {
  return sha256(canonical_json()).hex().substr(0, 16);
}

}  // namespace headstart
