// features/safetensors.hpp: the tensors of a .safetensors file. The format: eight bytes with the header's
// length, little-endian; the header, a JSON object {"NAME": {"dtype": "F32", "shape": [64, 3, 3, 3],
// "data_offsets": [0, 6912]},
// ..., "__metadata__": {"KEY": "text"}}; the values, without gaps. Invariant: every tensor's bytes lie in the
// file, no two overlap, and they are as many as type and shape say.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "features/stored_weights.hpp"

namespace headstart {

struct SafetensorsTensor {
  std::string type;  ///< the format's own word, e.g. "F32", "I64"
  TensorShape shape;
  std::span<const std::byte> bytes;
};

struct SafetensorsFile {
  std::map<std::string, SafetensorsTensor, std::less<>> tensors;
  std::map<std::string, std::string, std::less<>> metadata;
};

/// A longer header is refused unparsed; VGG16's has three thousand bytes.
inline constexpr std::uint64_t kMaxSafetensorsHeaderBytes = std::uint64_t{1} << 20;

/// Reads and checks the whole header. The tensors point into `bytes`.
/// @throws std::invalid_argument saying what is wrong with the file
[[nodiscard]] SafetensorsFile parse_safetensors(std::span<const std::byte> bytes);

/// F16, BF16, F32 or F64.
[[nodiscard]] std::optional<FloatType> safetensors_float_type(std::string_view type) noexcept;

}  // namespace headstart
