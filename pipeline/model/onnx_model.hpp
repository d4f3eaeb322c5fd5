// pipeline/model/onnx_model.hpp: a model as an ONNX file (github.com/onnx/onnx, docs/IR.md and
// docs/Operators.md). The file contains the preprocessing: pixels in, probabilities out, for any runtime.
#pragma once

#include <filesystem>

#include "pipeline/model/model_file.hpp"

namespace headstart {

/// Writes `model` to `file` as a whole or not at all; an existing file is replaced. Opset 13.
/// Input `pixels`: uint8 [N, S, S, 3], RGB, an image that was resized as the metadata say. S is the model's
/// input size.
/// Output `probabilities`: float32 [N, classes].
/// The metadata hold class_names (a JSON array), and resize, interpolation, alpha, exif, tap, fingerprint,
/// weights_identity, headstart_version.
/// @throws Error kFailed if the file can't be written, or would be larger than the 2 GiB that ONNX allows
void write_onnx_model(const Model& model, const std::filesystem::path& file);

}  // namespace headstart
