// features/network/safetensors.hpp: the tensors of a .safetensors file. The file starts with the header's
// length in eight bytes, little-endian. The header follows, a JSON object:
//   {"NAME": {"dtype": "F32", "shape": [64, 3, 3, 3], "data_offsets": [0, 6912]}, ...,
//    "__metadata__": {"KEY": "text"}}.
// Then come the values, without gaps. Invariant: every tensor's bytes lie in the file, no two tensors
// overlap, and the number of bytes fits type and shape.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "features/network/stored_weights.hpp"

namespace headstart {

struct SafetensorsTensor {
  std::string type;  ///< the format's name of the type, e.g. "F32", "I64"
  TensorShape shape;
  std::span<const std::byte> bytes;
};

struct SafetensorsFile {
  std::map<std::string, SafetensorsTensor, std::less<>> tensors;
  std::map<std::string, std::string, std::less<>> metadata;
};

/// A longer header is refused before it is parsed. VGG16's has three thousand bytes.
inline constexpr std::uint64_t kMaxSafetensorsHeaderBytes = std::uint64_t{1} << 20;

/// Reads and checks the whole header. The tensors point into `bytes`.
/// @throws std::invalid_argument with the reason
[[nodiscard]] SafetensorsFile parse_safetensors(std::span<const std::byte> bytes);

/// The type of "F16", "BF16", "F32" or "F64"; nothing for others.
[[nodiscard]] std::optional<FloatType> safetensors_float_type(std::string_view type) noexcept;

}  // namespace headstart
