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

/// The modules of a network's convolutions: {0, 2, 5, ...}. A ReLU is a module, too, and so is a pool.
std::vector<int> modules_of(const Network& network) {
  std::vector<int> modules;
  int next = 0;
  for (const NetworkLayer& layer : network.layers) {
    const bool convolution = layer.kind == LayerKind::kConvolution;
    if (convolution) modules.push_back(next);
    next += convolution ? 2 : 1;
  }
  return modules;
}

std::string convert(const Network& network) {
  return fmt::format(
      "save torchvision's or timm's {0}: safetensors.torch.save_file(model.state_dict(), "
      "'{0}.safetensors')",
      network.name);
}

/// The rank of a kernel.
constexpr std::size_t kRank = 4;

bool has_every_kernel(const SafetensorsFile& safetensors, const std::string& prefix,
                      const std::vector<int>& modules) {
  return std::all_of(modules.begin(), modules.end(), [&](int module) {
    const auto found = safetensors.tensors.find(fmt::format("{}{}.weight", prefix, module));
    return found != safetensors.tensors.end() && found->second.shape.size() == kRank;
  });
}

/// Whether two networks have the same values. A file may hold one network under two names.
bool are_the_same(const SafetensorsFile& safetensors, const std::string& prefix, const std::string& other,
                  const std::vector<int>& modules) {
  return std::all_of(modules.begin(), modules.end(), [&](int module) {
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
/// of the network's kernels.
std::string find_prefix(const SafetensorsFile& safetensors, const WeightsSource& source) {
  static constexpr std::string_view kFirst = "0.weight";
  const std::vector<int> modules = modules_of(source.network);
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
  const bool whole =
      keep([&](const std::string& prefix) { return has_every_kernel(safetensors, prefix, modules); });
  if (!whole && !keep(is_named) && prefixes.size() != 1)
    throw unfit_weights(source, "it has no tensor features.0.weight", convert(source.network));
  for (std::size_t i = 1; i < prefixes.size(); ++i) {
    if (are_the_same(safetensors, prefixes.front(), prefixes[i], modules)) continue;
    throw unfit_weights(source,
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

/// Refuses other members of the VGG family, which have modules that this network doesn't have.
void refuse_other_networks(const SafetensorsFile& safetensors, const std::string& prefix,
                           const WeightsSource& source) {
  const std::vector<int> modules = modules_of(source.network);
  const std::set<int> found = modules_with(safetensors, prefix, ".weight", 4);
  const bool normalised = !modules_with(safetensors, prefix, ".running_mean", 1).empty();
  const bool strange = std::any_of(found.begin(), found.end(), [&](int module) {
    return std::find(modules.begin(), modules.end(), module) == modules.end();
  });
  if (!normalised && !strange) return;
  throw unfit_weights(source,
                      fmt::format("it looks like {}: it has {} convolutions{}, {} has {}{}",
                                  network_of(found.size(), normalised), found.size(),
                                  normalised ? " with batch normalisation" : "", source.network.title,
                                  modules.size(), normalised ? " without" : ""),
                      convert(source.network));
}

StoredTensor find_tensor(const SafetensorsFile& safetensors, const std::string& name,
                         std::string_view meaning, const WeightsSource& source) {
  const auto found = safetensors.tensors.find(name);
  if (found == safetensors.tensors.end())
    throw unfit_weights(source, fmt::format("{}, {}, is missing", name, meaning), convert(source.network));
  const SafetensorsTensor& tensor = found->second;
  const std::optional<FloatType> type = safetensors_float_type(tensor.type);
  if (!type) {
    throw unfit_weights(
        source, fmt::format("{}, {}, is {}, needed F32, F16, BF16 or F64", name, meaning, tensor.type),
        convert(source.network));
  }
  return {found->first, tensor.shape, *type, tensor.bytes};
}

}  // namespace

StoredConvolutions find_convolutions(const SafetensorsFile& safetensors, const WeightsSource& source) {
  const std::string prefix = find_prefix(safetensors, source);
  refuse_other_networks(safetensors, prefix, source);
  StoredConvolutions stored;
  const std::vector<int> modules = modules_of(source.network);
  for (const NetworkLayer& layer : convolutions(source.network)) {
    const std::string module = fmt::format("{}{}", prefix, modules[stored.size()]);
    StoredConvolution& convolution = stored.emplace_back();
    convolution.kernel =
        find_tensor(safetensors, module + ".weight", fmt::format("the kernel of {}", layer.name), source);
    convolution.bias =
        find_tensor(safetensors, module + ".bias", fmt::format("the bias of {}", layer.name), source);
  }
  return stored;
}

NetworkWeights read_safetensors_weights(const Network& network, std::span<const std::byte> bytes,
                                        const std::string& name) {
  const WeightsSource source{network, name};
  try {
    const SafetensorsFile safetensors = parse_safetensors(bytes);
    NetworkWeights weights = empty_weights(network);
    weights.layers = decode_convolutions(find_convolutions(safetensors, source), source);
    const auto stated = safetensors.metadata.find(kPreprocessingKey);
    adopt_preprocessing(
        weights, choose_preprocessing(weights.layers.front().kernel, WeightsOrigin::kTorchvision,
                                      stated == safetensors.metadata.end() ? "" : stated->second, source));
    weights.format = "safetensors";
    return weights;
  } catch (const std::invalid_argument& error) {
    throw damaged_weights(source, error.what());
  }
}

}  // namespace headstart
