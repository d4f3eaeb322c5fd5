// features/network/graph_preprocessing.cpp: the keys are those of transformers' image processors and of
// timm's pretrained_cfg.
#include "features/network/graph_preprocessing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <variant>

#include "data/error.hpp"
#include "data/file_bytes.hpp"
#include "features/network/weights_preprocessing.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr std::uint64_t kMaxConfigBytes = std::uint64_t{1} << 20;

Error bad_statement(const fs::path& file, std::string_view why) {
  return {Error::Kind::kFailed, "cannot read the preprocessing of the network",
          fmt::format("{}: {}", file.string(), printable(why)),
          "pass --preprocess, or mend or remove the file"};
}

std::array<float, 3> channels_of(const Json& json, const char* key) {
  const auto numbers = json.at(key).get<std::array<float, 3>>();
  if (!std::all_of(numbers.begin(), numbers.end(), [](float number) { return std::isfinite(number); }))
    throw std::invalid_argument(fmt::format("{} is not finite", key));
  return numbers;
}

/// @throws std::invalid_argument for deviations that can't divide
Preprocessing rgb(float scale, const std::array<float, 3>& mean, const std::array<float, 3>& deviation) {
  const auto usable = [](float number) { return number > 0.0F && std::isnormal(number); };
  if (!usable(scale) || !std::all_of(deviation.begin(), deviation.end(), usable))
    throw std::invalid_argument("a scale or a deviation is not above 0");
  return {ChannelOrder::kRgb, scale, mean, deviation};
}

std::optional<Preprocessing> of_transformers(const Json& json) {
  if (!json.contains("image_mean") && !json.contains("do_normalize") && !json.contains("do_rescale"))
    return std::nullopt;
  const bool normalize = json.value("do_normalize", true);
  const float scale = json.value("do_rescale", true) ? json.value("rescale_factor", 1.0F / 255.0F) : 1.0F;
  if (!normalize) return rgb(scale, {}, {1.0F, 1.0F, 1.0F});
  return rgb(scale, channels_of(json, "image_mean"), channels_of(json, "image_std"));
}

std::optional<Preprocessing> of_timm(const Json& json) {
  const Json& config = json.contains("pretrained_cfg") ? json.at("pretrained_cfg") : json;
  if (!config.is_object() || !config.contains("mean") || !config.contains("std")) return std::nullopt;
  return rgb(1.0F / 255.0F, channels_of(config, "mean"), channels_of(config, "std"));
}

using ReadConfig = std::optional<Preprocessing> (*)(const Json&);

std::optional<Preprocessing> from_config(const fs::path& file, ReadConfig read) {
  std::error_code ignored;
  if (!fs::exists(file, ignored)) return std::nullopt;
  const auto bytes = read_file(file, kMaxConfigBytes);
  if (const auto* const reject = std::get_if<Reject>(&bytes)) throw bad_statement(file, reject->reason);
  const auto& text = std::get<std::vector<std::byte>>(bytes);
  try {
    const auto* const first = reinterpret_cast<const char*>(text.data());
    const Json json = Json::parse(first, first + text.size());
    return json.is_object() ? read(json) : std::nullopt;
  } catch (const Json::exception& error) {
    throw bad_statement(file, error.what());
  } catch (const std::invalid_argument& error) {
    throw bad_statement(file, error.what());
  }
}

}  // namespace

std::optional<StatedPreprocessing> stated_preprocessing(const GraphNetwork& network, const fs::path& file) {
  const auto& metadata = network.graph().metadata;
  if (const auto stated = metadata.find(kPreprocessingKey); stated != metadata.end()) {
    const auto preprocessing = parse_preprocessing_statement(stated->second);
    if (!preprocessing)
      throw bad_statement(
          file, fmt::format("its metadata has {} = '{}'", kPreprocessingKey, stated->second.substr(0, 200)));
    return StatedPreprocessing{*preprocessing, "the file's metadata says so"};
  }
  if (network.takes_bytes()) {
    const Preprocessing none{ChannelOrder::kRgb, 1.0F, {}, {1.0F, 1.0F, 1.0F}};
    return StatedPreprocessing{none, "its input is uint8: the pixels as they are"};
  }
  constexpr std::array<std::pair<const char*, ReadConfig>, 2> kConfigs{
      {{"preprocessor_config.json", of_transformers}, {"config.json", of_timm}}};
  for (const auto& [name, read] : kConfigs) {
    if (const auto found = from_config(file.parent_path() / name, read))
      return StatedPreprocessing{*found, fmt::format("{} beside the file says so", name)};
  }
  return std::nullopt;
}

Error preprocessing_not_stated(const GraphNetwork& network) {
  return {Error::Kind::kFailed, "nothing says how pixels become the input of the network", network.name(),
          fmt::format("pass --preprocess: {}; or numbers, like mean=127,std=128,scale=1,order=rgb",
                      preprocessing_names())};
}

}  // namespace headstart
