// features/network/keras_listing.cpp: a list says less than a graph. But it is checked against the network,
// too: the weights of other layers, and the names of layers without weights. Keras makes these names from the
// layers' classes.
#include "features/network/keras_listing.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <initializer_list>
#include <string_view>
#include <utility>

#include "data/error.hpp"
#include "features/network/known_networks.hpp"

namespace headstart {
namespace {

std::string save_whole(const WeightsSource& source) {
  return fmt::format("save the whole model in Keras with model.save('{}.h5')", source.network.name);
}

/// A layer, or a part of a layer that is a model.
struct ListedPart {
  enum class Kind { kConvolution, kDense, kVector, kNone };
  Kind kind = Kind::kNone;
  const KerasLayer* layer = nullptr;
  const KerasWeight* kernel = nullptr;  ///< or the vector
  const KerasWeight* bias = nullptr;
};

/// A kernel and the vector directly behind it are one part; only that vector can be its bias.
std::vector<ListedPart> parts_of(const std::vector<KerasLayer>& layers) {
  using Kind = ListedPart::Kind;
  std::vector<ListedPart> parts;
  for (const KerasLayer& layer : layers) {
    if (layer.weights.empty()) parts.push_back({Kind::kNone, &layer});
    bool wants_bias = false;
    for (const KerasWeight& weight : layer.weights) {
      const std::size_t rank = weight.extents.size();
      if (wants_bias && rank == 1) {
        parts.back().bias = &weight;
      } else {
        const Kind kind = rank == 4 ? Kind::kConvolution : rank == 2 ? Kind::kDense : Kind::kVector;
        parts.push_back({kind, &layer, &weight});
      }
      wants_bias = parts.back().kind != Kind::kVector && parts.back().bias == nullptr;
    }
  }
  return parts;
}

/// Whether `step` is `name` with a number. TensorFlow 1 adds a number if the name exists already: "conv_1".
bool is_numbered(std::string_view step, std::string_view name) {
  if (!step.starts_with(name) || step.size() < name.size() + 2 || step[name.size()] != '_') return false;
  const std::string_view number = step.substr(name.size() + 1);
  return number.find_first_not_of("0123456789") == std::string_view::npos;
}

/// Whether one of the steps of "a/b/kernel:0" is `name`, or the last step is Keras 1's "name_W_1:0".
/// @param numbered  whether a number may follow
bool names_layer(std::string_view weight, std::string_view name, bool numbered) {
  while (true) {
    const std::size_t slash = weight.find('/');
    const std::string_view step = weight.substr(0, slash);
    if (step == name || (numbered && is_numbered(step, name))) return true;
    if (slash == std::string_view::npos) {
      const std::string_view rest = step.starts_with(name) ? step.substr(name.size()) : std::string_view();
      return rest.starts_with("_W") || rest.starts_with("_b");
    }
    weight.remove_prefix(slash + 1);
  }
}

const KerasLayer* find_layer(const std::vector<KerasLayer>& layers, std::string_view name) {
  const auto found =
      std::find_if(layers.begin(), layers.end(), [&](const KerasLayer& layer) { return layer.name == name; });
  return found == layers.end() ? nullptr : &*found;
}

/// Whether the layer, or the weights of a layer inside it, have the name.
bool is_named(const ListedPart& part, std::string_view name) {
  return part.layer->name == name || names_layer(part.kernel->name, name, true);
}

std::string title(const ListedPart& part) {
  const std::string weight = part.kernel == nullptr ? std::string() : "/" + part.kernel->name;
  return printable(fmt::format("'{}{}'", part.layer->name, weight));
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  return result;
}

bool has_any(std::string_view text, std::initializer_list<std::string_view> parts) {
  return std::any_of(parts.begin(), parts.end(),
                     [&](std::string_view part) { return text.find(part) != std::string_view::npos; });
}

bool is_pool(std::string_view name) {
  return has_any(name, {"pool"}) && !has_any(name, {"avg", "average", "global"});
}

/// Whether a layer of this name may lie between a network's convolutions.
bool is_between(std::string_view name) {
  if (has_any(name, {"leaky", "p_re_lu", "prelu", "thresholded", "average", "avg", "global"})) return false;
  return has_any(name, {"pool", "relu", "re_lu", "activation", "dropout", "padding", "noise", "input"});
}

bool is_3x3_kernel(const KerasWeight& weight) { return weight.extents[0] == 3 && weight.extents[1] == 3; }

/// Whether a layer of this name is another activation than ReLU.
bool is_other_activation(std::string_view name) {
  const bool relu =
      has_any(name, {"relu", "re_lu"}) && !has_any(name, {"leaky", "prelu", "p_re_lu", "thresholded"});
  return !relu && has_any(name, {"relu", "re_lu", "elu", "swish", "silu", "mish", "tanh", "sigmoid",
                                 "softplus", "softsign"});
}

/// The convolutions that other known networks have and this one doesn't.
std::vector<std::string> names_of_other_networks(const Network& network) {
  const auto has = [&](const std::string& name) {
    return std::any_of(network.layers.begin(), network.layers.end(),
                       [&](const NetworkLayer& layer) { return layer.name == name; });
  };
  std::vector<std::string> names;
  for (const Network& other : known_networks()) {
    for (const NetworkLayer& layer : convolutions(other)) {
      if (!has(layer.name)) names.push_back(layer.name);
    }
  }
  return names;
}

using Positions = std::vector<std::size_t>;

/// The positions of the network's kernels among the parts. @param named  whether Keras's names tell them
Positions find_positions(const std::vector<ListedPart>& parts, bool& named, const WeightsSource& source) {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].kind == ListedPart::Kind::kConvolution) found.push_back(i);
  }
  const std::vector<NetworkLayer> layers = convolutions(source.network);
  Positions positions(layers.size());
  named = true;
  for (std::size_t layer = 0; named && layer < layers.size(); ++layer) {
    const auto position = std::find_if(found.begin(), found.end(),
                                       [&](std::size_t i) { return is_named(parts[i], layers[layer].name); });
    named = position != found.end();
    if (named) positions[layer] = *position;
  }
  // Names tell a head's kernels from the network's. Without names, only another kernel size than 3x3 does.
  if (!named && found.size() > layers.size())
    std::erase_if(found, [&](std::size_t i) { return !is_3x3_kernel(*parts[i].kernel); });
  const std::vector<std::string> others = names_of_other_networks(source.network);
  const bool other_names = std::any_of(found.begin(), found.end(), [&](std::size_t i) {
    return std::any_of(others.begin(), others.end(),
                       [&](const std::string& name) { return is_named(parts[i], name); });
  });
  if (found.size() < layers.size() || (found.size() > layers.size() && (!named || other_names))) {
    throw unfit_weights(source, fmt::format("it has {} convolutions, {} has {}", found.size(),
                                            source.network.title, layers.size()));
  }
  if (!named) std::copy(found.begin(), found.end(), positions.begin());
  return positions;
}

/// Refuses parts between the kernels that the network does not have.
void check_body(const std::vector<ListedPart>& parts, const Positions& positions, bool named,
                const WeightsSource& source) {
  const std::vector<NetworkLayer> layers = convolutions(source.network);
  Positions sorted = positions;
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t i = 0; i < sorted.back(); ++i) {
    // In a layer that is a model, trained weights are listed first; they may be a head's.
    const bool own =
        std::binary_search(sorted.begin(), sorted.end(), i) ||
        (named && parts[i].kind == ListedPart::Kind::kDense && parts[i].layer == parts[sorted.front()].layer);
    if (parts[i].kind != ListedPart::Kind::kNone && !own) {
      const bool normalised = has_any(lower(parts[i].layer->name + parts[i].kernel->name),
                                      {"norm", "bn", "gamma", "moving_mean"});
      throw unfit_weights(
          source, fmt::format("it has {} before {}{}", title(parts[i]), layers.back().name,
                              normalised ? fmt::format(": it looks like {}_bn", source.network.name)
                                         : fmt::format(", which {} doesn't have", source.network.title)));
    }
  }
  for (std::size_t layer = 0; layer + 1 < layers.size(); ++layer) {
    std::size_t pools = 0;
    for (std::size_t i = sorted[layer] + 1; i < sorted[layer + 1]; ++i) {
      const std::string name = lower(parts[i].layer->name);
      if (!is_between(name)) {
        throw unfit_weights(source, fmt::format("{} is followed by {}", layers[layer].name, title(parts[i])),
                            save_whole(source));
      }
      if (is_pool(name)) ++pools;
    }
    const std::size_t needed = is_pooled(source.network, layers[layer]) ? 1 : 0;
    if (pools > needed || (pools < needed && !named)) {
      throw unfit_weights(
          source, fmt::format("{} is followed by {} pools, needed {}", layers[layer].name, pools, needed),
          save_whole(source));
    }
  }
}

/// A head may follow the kernels: Dense layers, and convolutions if names tell them from the network's. A
/// vector counts as the head's only behind a Dense layer of the same width, because the last convolution may
/// be normalised, too.
void check_head(const std::vector<ListedPart>& parts, std::size_t last, const WeightsSource& source) {
  if (last + 1 < parts.size() && is_other_activation(lower(parts[last + 1].layer->name))) {
    throw unfit_weights(
        source,
        fmt::format("{} is followed by {}", convolutions(source.network).back().name, title(parts[last + 1])),
        save_whole(source));
  }
  std::uint64_t width = 0;  // of the Dense layer before
  for (std::size_t i = last + 1; i < parts.size(); ++i) {
    if (parts[i].kind == ListedPart::Kind::kDense) width = parts[i].kernel->extents[1];
    if (parts[i].kind != ListedPart::Kind::kVector) continue;
    if (width == 0 || parts[i].kernel->extents != std::vector<std::uint64_t>{width}) {
      throw unfit_weights(source,
                          fmt::format("it has {} behind {}, which may belong to it", title(parts[i]),
                                      convolutions(source.network).back().name),
                          save_whole(source));
    }
  }
}

}  // namespace

std::vector<const KerasWeight*> weights_of(const std::vector<KerasLayer>& layers,
                                           const std::vector<std::string>& path) {
  std::vector<const KerasWeight*> found;
  const KerasLayer* const layer = path.empty() ? nullptr : find_layer(layers, path.front());
  if (layer == nullptr) return found;
  for (const bool numbered : {false, true}) {
    for (const KerasWeight& weight : layer->weights) {
      if (path.size() == 1 || names_layer(weight.name, path.back(), numbered)) found.push_back(&weight);
    }
    if (!found.empty()) return found;
  }
  return found;
}

KerasKernels match_paths(const std::vector<KerasLayer>& layers, const KerasPaths& paths,
                         const WeightsSource& source) {
  const std::vector<ListedPart> parts = parts_of(layers);
  const std::vector<NetworkLayer> convolved = convolutions(source.network);
  KerasKernels kernels(convolved.size());
  for (std::size_t i = 0; i < convolved.size(); ++i) {
    const std::string& name = convolved[i].name;
    const std::vector<const KerasWeight*> weights = weights_of(layers, paths.at(i));
    for (const ListedPart& part : parts) {
      const bool own = part.kind == ListedPart::Kind::kConvolution &&
                       std::find(weights.begin(), weights.end(), part.kernel) != weights.end();
      if (!own) continue;
      const bool taken = std::any_of(kernels.begin(), kernels.end(),
                                     [&](const KerasKernel& kernel) { return kernel.kernel == part.kernel; });
      if (taken || kernels[i].kernel != nullptr) {
        throw unfit_weights(source, fmt::format("which kernel {} has can't be told: {}", name, title(part)),
                            fmt::format("save {0} alone in Keras with {1}.save('{1}.h5')",
                                        source.network.title, source.network.name));
      }
      kernels[i] = {part.kernel, part.bias};
    }
    if (kernels[i].kernel == nullptr) {
      throw unfit_weights(source, printable(fmt::format("{}, its layer '{}', has no kernel", name,
                                                        fmt::join(paths[i], "/"))));
    }
  }
  return kernels;
}

KerasKernels match_listing(const std::vector<KerasLayer>& layers, const WeightsSource& source) {
  const std::vector<ListedPart> parts = parts_of(layers);
  bool named = false;
  const Positions positions = find_positions(parts, named, source);
  check_body(parts, positions, named, source);
  check_head(parts, *std::max_element(positions.begin(), positions.end()), source);
  KerasKernels kernels;
  for (const std::size_t position : positions)
    kernels.push_back({parts[position].kernel, parts[position].bias});
  return kernels;
}

std::string layer_before(const std::vector<KerasLayer>& layers) {
  for (const KerasLayer& layer : layers) {
    if (!layer.weights.empty()) break;
    const bool harmless =
        has_any(lower(layer.name), {"input", "padding", "dropout", "noise", "random", "resizing", "crop"});
    if (!harmless) return printable(fmt::format("'{}'", layer.name));
  }
  return {};
}

}  // namespace headstart
