// features/network/stored_weights.hpp: a network's convolutions in another program's file, found but not yet
// decoded. The readers of safetensors and ONNX share this code. Both formats store kernels in PyTorch's
// order, outputs first.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/error.hpp"
#include "features/network/float_type.hpp"
#include "features/network/weights.hpp"
#include "features/tensor_shape.hpp"

namespace headstart {

/// Numbers in a file's bytes, row-major. The caller owns name and bytes.
struct StoredTensor {
  std::string_view name;
  TensorShape shape;
  FloatType type = FloatType::kFloat32;
  std::span<const std::byte> bytes;
};

/// The position of each axis of a kernel: out, in, row, column. E.g. {3, 2, 0, 1} for a kernel that is stored
/// as HWIO.
using KernelAxes = std::array<std::size_t, 4>;
inline constexpr KernelAxes kOutputsFirst{0, 1, 2, 3};

struct StoredConvolution {
  StoredTensor kernel;  ///< of rank four
  KernelAxes axes = kOutputsFirst;
  std::optional<StoredTensor> bias;  ///< any shape with one value for each output; nothing: zeros
};

/// One for each of a network's convolutions.
using StoredConvolutions = std::vector<StoredConvolution>;

/// A file of weights, and the network that they have to fit. Errors name both.
struct WeightsSource {
  const Network& network;
  std::string file;
};

/// Checks that every shape is the network's and that every tensor has enough bytes for it.
/// @throws Error kFailed naming the layer, the shape found and the needed shape
void check_convolutions(const StoredConvolutions& stored, const WeightsSource& source);

/// Checks, then decodes: kernels as HWIO. All values have to be finite.
/// @throws Error kFailed naming the layer, the shape found and the needed shape
[[nodiscard]] std::vector<ConvolutionWeights> decode_convolutions(const StoredConvolutions& stored,
                                                                  const WeightsSource& source);

/// "weights do not fit VGG16: FILE: WHY: ADVICE". @param advice  empty: to pass a file of the network
[[nodiscard]] Error unfit_weights(const WeightsSource& source, std::string_view why,
                                  std::string_view advice = {});
/// The error for a damaged file.
[[nodiscard]] Error damaged_weights(const WeightsSource& source, std::string_view why);
/// The error for values that are infinite or NaN. @param what  e.g. "block1_conv1 kernel"
[[nodiscard]] Error weights_not_finite(const WeightsSource& source, std::string_view what);

}  // namespace headstart
