// features/network/weights_preprocessing.hpp: finds the preprocessing that the weights of a file need. The
// file's own statement decides, then the layers before the first convolution. Most files have neither, and
// names alone mislead. Under torchvision's names people keep torchvision's own weights (RGB, normalised) and
// two conversions of the original Caffe model (BGR or RGB, on 0..255). So the values come before the names.
// All descendants of VGG16's Caffe model, Keras's included, share its first layer, which fine-tuning hardly
// changes. The 64 filters of that layer, in their order, work as a signature. The magnitude of kernels tells
// nothing: it is 0.67 at most, as for an input of about one, although Caffe's input reaches 150.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "features/network/network_input.hpp"
#include "features/network/preprocessing.hpp"
#include "features/network/stored_weights.hpp"
#include "features/network/weights.hpp"

namespace headstart {

/// The software whose names a file uses, or that made the file.
enum class WeightsOrigin { kUnknown, kKeras, kTorchvision };

/// The metadata key of a file that overrides everything else. Its value is a statement of the preprocessing.
inline constexpr std::string_view kPreprocessingKey = "headstart.preprocessing";

/// A preprocessing as a statement: "caffe", "caffe-rgb", "torchvision", or the form in model.h5's
/// description: {"channels": "rgb", "scale": 1.0, "mean": [...], "deviation": [...]}.
/// parse_preprocessing_statement() reads back the same.
[[nodiscard]] std::string preprocessing_statement(const Preprocessing& preprocessing);
[[nodiscard]] std::optional<Preprocessing> parse_preprocessing_statement(std::string_view text);

struct PreprocessingChoice {
  Preprocessing preprocessing;
  std::string reason;  ///< for people
};

enum class CaffeDescent { kNone, kBgr, kRgb };

/// Whether these are the filters of the Caffe model's first layer, and which channel comes first. Compares
/// the centres of the 3x3 filters with the signature. The cosine is 1 for the original, 0.78 with red and
/// blue exchanged, and near 0 for other filters. A cosine of 0.9 or more counts if the length is about the
/// original one. Of the two channel orders, the one with the larger cosine counts.
/// @param kernel  block1_conv1's, [3, 3, 3, 64] as HWIO
[[nodiscard]] CaffeDescent caffe_descent(std::span<const float> kernel);

/// Takes the first that tells: the file's statement, its layers, the first layer's values, its origin. An
/// origin of Keras means the network's own; torchvision's means torchvision. The origin tells nothing if a
/// layer before the first convolution can't be read.
/// @param kernel  block1_conv1's, as HWIO
/// @param stated  the metadata under kPreprocessingKey; empty if there is none
/// @param input   the layers before the first convolution
/// @throws Error kFailed if nothing tells, or if a statement can't be read
[[nodiscard]] PreprocessingChoice choose_preprocessing(std::span<const float> kernel, WeightsOrigin origin,
                                                       std::string_view stated, const WeightsSource& source,
                                                       const NetworkInput& input = {});

/// Sets the weights' preprocessing and identity. If the first kernel takes a named preprocessing's channels
/// in the other order, the kernel's channels are exchanged. So a network has one identity, whatever program
/// exported it.
void adopt_preprocessing(NetworkWeights& weights, PreprocessingChoice choice);

}  // namespace headstart
