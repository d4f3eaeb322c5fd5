// features/weights_preprocessing.hpp: which input the weights of a safetensors or an ONNX file want. Neither
// format says it, and names alone mislead: under torchvision's names people keep torchvision's own weights
// (RGB, normalised) and two conversions of the original Caffe model (BGR or RGB, on 0..255). So the values
// are asked first. All descendants of the Caffe model, Keras's included, share its first layer, which
// fine-tuning hardly moves; its 64 filters in their order are as good as a signature. The magnitude of
// kernels tells nothing: 0.67 at most, as for an input of about one, though Caffe's reaches 150.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "features/preprocessing.hpp"

namespace headstart {

/// The software whose names a file uses, or that made it.
enum class WeightsOrigin { kUnknown, kKeras, kTorchvision };

/// The key of a file's own metadata that overrides everything else: "caffe", "caffe-rgb" or "torchvision".
inline constexpr std::string_view kPreprocessingKey = "headstart.preprocessing";

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

/// What the file states, else what the first layer's values say, else what its origin wants: Keras's caffe,
/// torchvision's torchvision.
/// @param kernel  block1_conv1's, as HWIO
/// @param stated  the metadata under kPreprocessingKey; empty if there is none
/// @param file    what errors call it
/// @throws Error kFailed if nothing tells, or for an unknown name
[[nodiscard]] PreprocessingChoice choose_preprocessing(std::span<const float> kernel, WeightsOrigin origin,
                                                       std::string_view stated, const std::string& file);

}  // namespace headstart
