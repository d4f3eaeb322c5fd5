// pipeline/rows/npy_header.hpp: the header of NumPy's .npy files, formats 1.0 and 2.0. Files come from
// strangers: what a header claims is compared with the size of its file before anything is allocated.
// Source: "A simple file format for NumPy arrays",
// numpy.org/doc/stable/reference/generated/numpy.lib.format.html
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "data/error.hpp"
#include "features/feature_type.hpp"

namespace headstart {

/// The types of values that are read, all little-endian.
enum class NpyType { kFloat16, kFloat32, kFloat64 };

/// 2, 4 or 8.
[[nodiscard]] constexpr std::size_t bytes_of(NpyType type) noexcept {
  switch (type) {
    case NpyType::kFloat16:
      return 2;
    case NpyType::kFloat32:
      return 4;
    case NpyType::kFloat64:
      return 8;
  }
  return 0;
}

/// What a .npy file says about its matrix, whose rows follow each other.
struct NpyHeader {
  NpyType type = NpyType::kFloat32;
  std::uint64_t rows = 0;
  std::uint64_t columns = 0;
  std::uint64_t offset = 0;  ///< of the first value in the file, in bytes
};

/// Enough bytes of a file's start for every header that is read.
inline constexpr std::size_t kMaxNpyHeaderBytes = std::size_t{64} << 10U;

/// @param start       the first kMaxNpyHeaderBytes of the file, or all of a smaller one
/// @param file_bytes  size of the file
/// @return the header, or why there is no matrix of floats that fills the rest of the file
[[nodiscard]] std::variant<NpyHeader, Reject> parse_npy_header(std::string_view start,
                                                               std::uint64_t file_bytes);

/// The bytes before the values of a matrix of `type`, format 1.0. The values begin at a multiple of 64 bytes,
/// so that a program may map them into memory.
[[nodiscard]] std::string npy_header(FeatureType type, std::uint64_t rows, std::uint64_t columns);

}  // namespace headstart
