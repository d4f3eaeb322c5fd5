// features/weights_preprocessing.hpp: which input the weights of a file want. What the file states decides,
// then the layers before the first convolution. Most files have neither, and names alone mislead: under
// torchvision's names people keep torchvision's own weights (RGB, normalised) and two conversions of the
// original Caffe model (BGR or RGB, on 0..255). So the values are asked before the names. All descendants of
// the Caffe model, Keras's included, share its first layer, which fine-tuning hardly moves; its 64 filters in
// their order are as good as a signature. The magnitude of kernels tells nothing: 0.67 at most, as for an
// input of about one, though Caffe's reaches 150.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "features/network_input.hpp"
#include "features/preprocessing.hpp"
#include "features/weights.hpp"

namespace headstart {

/// The software whose names a file uses, or that made it.
enum class WeightsOrigin { kUnknown, kKeras, kTorchvision };

/// The key of a file's own metadata that overrides everything else; its value is a statement.
inline constexpr std::string_view kPreprocessingKey = "headstart.preprocessing";

/// A preprocessing as files state it: "caffe", "caffe-rgb", "torchvision", or what model.h5's description
/// says: {"channels": "rgb", "scale": 1.0, "mean": [...], "deviation": [...]}. Parsing gives back the same.
[[nodiscard]] std::string preprocessing_statement(const Preprocessing& preprocessing);
[[nodiscard]] std::optional<Preprocessing> parse_preprocessing_statement(std::string_view text);

struct PreprocessingChoice {
  Preprocessing preprocessing;
  std::string reason;  ///< for people
};

enum class CaffeDescent { kNone, kBgr, kRgb };

/// Whether these are the filters of the Caffe model's first layer, and which channel comes first. Asks the
/// centre of each 3x3 filter: the cosine with the signature is 1 for the original, 0.78 with red and blue
/// exchanged, near 0 for other filters; from 0.9 on, with about the original length, it counts, the
/// larger of both orders.
/// @param kernel  block1_conv1's, [3, 3, 3, 64] as HWIO
[[nodiscard]] CaffeDescent caffe_descent(std::span<const float> kernel);

/// What the file states, else what its layers do, else what the first layer's values say, else what its
/// origin wants: Keras's caffe, torchvision's torchvision. The origin tells nothing of a file with a layer
/// before the first convolution that can't be read.
/// @param kernel  block1_conv1's, as HWIO
/// @param stated  the metadata under kPreprocessingKey; empty if there is none
/// @param file    what errors call it
/// @param input   the layers before the first convolution
/// @throws Error kFailed if nothing tells, or for a statement that can't be read
[[nodiscard]] PreprocessingChoice choose_preprocessing(std::span<const float> kernel, WeightsOrigin origin,
                                                       std::string_view stated, const std::string& file,
                                                       const NetworkInput& input = {});

/// Gives the weights their preprocessing and their identity. A first kernel that takes a named
/// preprocessing's channels in the other order is turned, so that a network has one identity however it was
/// exported.
void adopt_preprocessing(Vgg16Weights& weights, PreprocessingChoice choice);

}  // namespace headstart
