// features/safetensors_weights.cpp: torchvision numbers the modules of VGG's convolutional part, ReLUs and
// pools included, so that the numbers of the convolutions tell which network it is.
#include "features/safetensors_weights.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>
#include <stdexcept>

#include "features/weights.hpp"
#include "features/weights_preprocessing.hpp"

namespace headstart {
namespace {

constexpr std::size_t kLayers = kVgg16Convolutions.size();
constexpr std::array<int, kLayers> kModules{0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28};

constexpr std::string_view kConvert =
    "save torchvision's or timm's vgg16: safetensors.torch.save_file(model.state_dict(), "
    "'vgg16.safetensors')";

/// What stands before "0.weight": "features." behind any prefix, or nothing for the convolutional part alone.
std::string find_prefix(const SafetensorsFile& safetensors, const std::string& file) {
  static constexpr std::string_view kFirst = "0.weight";
  std::optional<std::string> found;
  for (const auto& [name, tensor] : safetensors.tensors) {
    if (!name.ends_with(kFirst)) continue;
    const std::string prefix = name.substr(0, name.size() - kFirst.size());
    if (!prefix.empty() && prefix != "features." && !prefix.ends_with(".features.")) continue;
    if (found && !found->empty() && !prefix.empty()) {
      throw unfit_weights(file, fmt::format("it has two networks: {0}{2} and {1}{2}", *found, prefix, kFirst),
                          "save one of them alone");
    }
    if (!found || found->empty()) found = prefix;
  }
  if (!found) throw unfit_weights(file, "it has no tensor features.0.weight", kConvert);
  return *found;
}

/// The modules below `prefix` that have a parameter called `parameter` of this rank.
std::set<int> modules_with(const SafetensorsFile& safetensors, const std::string& prefix,
                           std::string_view parameter, std::size_t rank) {
  std::set<int> modules;
  for (const auto& [name, tensor] : safetensors.tensors) {
    if (!name.starts_with(prefix) || tensor.shape.size() != rank) continue;
    const std::string_view rest = std::string_view(name).substr(prefix.size());
    int module = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), module);
    if (error == std::errc() && rest.substr(static_cast<std::size_t>(end - rest.data())) == parameter)
      modules.insert(module);
  }
  return modules;
}

std::string network_of(std::size_t convolutions, bool normalised) {
  std::string name = "another network";
  if (convolutions == 8) name = "vgg11";
  if (convolutions == 10) name = "vgg13";
  if (convolutions == 13) name = "vgg16";
  if (convolutions == 16) name = "vgg19";
  return convolutions < 17 && normalised && name.starts_with("vgg") ? name + "_bn" : name;
}

/// Other members of the family have modules that VGG16 doesn't have.
void refuse_other_networks(const SafetensorsFile& safetensors, const std::string& prefix,
                           const std::string& file) {
  const std::set<int> convolutions = modules_with(safetensors, prefix, ".weight", 4);
  const bool normalised = !modules_with(safetensors, prefix, ".running_mean", 1).empty();
  const bool strange = std::any_of(convolutions.begin(), convolutions.end(), [](int module) {
    return std::find(kModules.begin(), kModules.end(), module) == kModules.end();
  });
  if (!normalised && !strange) return;
  throw unfit_weights(
      file,
      fmt::format("it looks like {}: it has {} convolutions{}, VGG16 has {}{}",
                  network_of(convolutions.size(), normalised), convolutions.size(),
                  normalised ? " with batch normalisation" : "", kLayers, normalised ? " without" : ""),
      kConvert);
}

StoredTensor find_tensor(const SafetensorsFile& safetensors, const std::string& name,
                         std::string_view meaning, const std::string& file) {
  const auto found = safetensors.tensors.find(name);
  if (found == safetensors.tensors.end())
    throw unfit_weights(file, fmt::format("{}, {}, is missing", name, meaning), kConvert);
  const SafetensorsTensor& tensor = found->second;
  const std::optional<FloatType> type = safetensors_float_type(tensor.type);
  if (!type) {
    throw unfit_weights(
        file, fmt::format("{}, {}, is {}, needed F32, F16, BF16 or F64", name, meaning, tensor.type),
        kConvert);
  }
  return {found->first, tensor.shape, *type, tensor.bytes};
}

}  // namespace

StoredConvolutions find_convolutions(const SafetensorsFile& safetensors, const std::string& file) {
  const std::string prefix = find_prefix(safetensors, file);
  refuse_other_networks(safetensors, prefix, file);
  StoredConvolutions stored;
  for (std::size_t i = 0; i < kLayers; ++i) {
    const std::string module = fmt::format("{}{}", prefix, kModules[i]);
    const std::string_view layer = kVgg16Convolutions[i].name;
    stored[i].kernel =
        find_tensor(safetensors, module + ".weight", fmt::format("the kernel of {}", layer), file);
    stored[i].bias = find_tensor(safetensors, module + ".bias", fmt::format("the bias of {}", layer), file);
  }
  return stored;
}

Vgg16Weights read_safetensors_weights(std::span<const std::byte> bytes, const std::string& name) {
  try {
    const SafetensorsFile safetensors = parse_safetensors(bytes);
    Vgg16Weights weights;
    weights.layers = decode_convolutions(find_convolutions(safetensors, name), name);
    const auto stated = safetensors.metadata.find(kPreprocessingKey);
    PreprocessingChoice choice = choose_preprocessing(
        weights.layers.front().kernel, WeightsOrigin::kTorchvision,
        stated == safetensors.metadata.end() ? std::string_view() : std::string_view(stated->second), name);
    weights.preprocessing = choice.preprocessing;
    weights.preprocessing_reason = std::move(choice.reason);
    weights.identity = weights_identity(weights.layers);
    weights.format = "safetensors";
    return weights;
  } catch (const std::invalid_argument& error) {
    throw damaged_weights(name, error.what());
  }
}

}  // namespace headstart
