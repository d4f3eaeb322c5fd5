// features/network/safetensors_weights.cpp: torchvision numbers the modules of VGG's convolutional part,
// including ReLUs and pools. So the numbers of the convolutions tell which network a file holds.
#include "features/network/safetensors_weights.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>
#include <stdexcept>
#include <utility>

#include "data/error.hpp"
#include "features/network/weights.hpp"
#include "features/network/weights_preprocessing.hpp"

namespace headstart {
namespace {

constexpr std::size_t kConvolutions = kVgg16Convolutions.size();
constexpr std::array<int, kConvolutions> kModules{0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28};

constexpr std::string_view kConvert =
    "save torchvision's or timm's vgg16: safetensors.torch.save_file(model.state_dict(), "
    "'vgg16.safetensors')";

/// The rank of a kernel.
constexpr std::size_t kRank = 4;

bool has_every_kernel(const SafetensorsFile& safetensors, const std::string& prefix) {
  return std::all_of(kModules.begin(), kModules.end(), [&](int module) {
    const auto found = safetensors.tensors.find(fmt::format("{}{}.weight", prefix, module));
    return found != safetensors.tensors.end() && found->second.shape.size() == kRank;
  });
}

/// Whether two networks have the same values. A file may hold one network under two names.
bool are_the_same(const SafetensorsFile& safetensors, const std::string& prefix, const std::string& other) {
  return std::all_of(kModules.begin(), kModules.end(), [&](int module) {
    return std::ranges::all_of(std::array{".weight", ".bias"}, [&](const char* parameter) {
      const auto one = safetensors.tensors.find(fmt::format("{}{}{}", prefix, module, parameter));
      const auto two = safetensors.tensors.find(fmt::format("{}{}{}", other, module, parameter));
      return one != safetensors.tensors.end() && two != safetensors.tensors.end() &&
             one->second.type == two->second.type && one->second.shape == two->second.shape &&
             std::ranges::equal(one->second.bytes, two->second.bytes);
    });
  });
}

/// The text before "0.weight": "features.", "backbone.", nothing, or any other. Of several, the one with all
/// of VGG16's kernels.
std::string find_prefix(const SafetensorsFile& safetensors, const std::string& file) {
  static constexpr std::string_view kFirst = "0.weight";
  std::vector<std::string> prefixes;  // of all that begin like a network of convolutions
  const auto is_named = [](const std::string& prefix) {
    return prefix.empty() || prefix == "features." || prefix.ends_with(".features.");
  };
  for (const auto& [name, tensor] : safetensors.tensors) {
    if (!name.ends_with(kFirst)) continue;
    std::string prefix = name.substr(0, name.size() - kFirst.size());
    if (is_named(prefix) || (prefix.ends_with('.') && tensor.shape.size() == kRank))
      prefixes.push_back(std::move(prefix));
  }
  const auto keep = [&](const auto& fits) {
    const auto others = std::stable_partition(prefixes.begin(), prefixes.end(), fits);
    if (others == prefixes.begin()) return false;
    prefixes.erase(others, prefixes.end());
    return true;
  };
  const bool whole = keep([&](const std::string& prefix) { return has_every_kernel(safetensors, prefix); });
  if (!whole && !keep(is_named) && prefixes.size() != 1)
    throw unfit_weights(file, "it has no tensor features.0.weight", kConvert);
  for (std::size_t i = 1; i < prefixes.size(); ++i) {
    if (are_the_same(safetensors, prefixes.front(), prefixes[i])) continue;
    throw unfit_weights(file,
                        printable(fmt::format("it has two networks: {0}{2} and {1}{2}", prefixes.front(),
                                              prefixes[i], kFirst)),
                        "save one of them alone");
  }
  return prefixes.front();
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

/// Refuses other members of the VGG family, which have modules that VGG16 doesn't have.
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
                  normalised ? " with batch normalisation" : "", kConvolutions, normalised ? " without" : ""),
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
  for (std::size_t i = 0; i < kConvolutions; ++i) {
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
    adopt_preprocessing(
        weights, choose_preprocessing(weights.layers.front().kernel, WeightsOrigin::kTorchvision,
                                      stated == safetensors.metadata.end() ? "" : stated->second, name));
    weights.format = "safetensors";
    return weights;
  } catch (const std::invalid_argument& error) {
    throw damaged_weights(name, error.what());
  }
}

}  // namespace headstart
