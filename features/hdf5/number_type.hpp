// features/hdf5/number_type.hpp: the number types that are read and written, in memory and in a file, and the
// allowed conversions.
#pragma once

#include <bit>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "features/float16.hpp"
#include "features/hdf5/calls.hpp"
#include "features/hdf5/handle.hpp"

namespace headstart::hdf5 {

[[nodiscard]] inline Type copy_of(hid_t type) { return Type{checked(H5Tcopy(type))}; }

/// IEEE 754 binary16, little-endian. HDF5 1.10 has no name for it.
[[nodiscard]] Type float16_type();
[[nodiscard]] bool is_float16(const Type& type);

/// T in memory.
template <typename T>
Type native_type() {
  static_assert(std::endian::native == std::endian::little, "float16 is the same in memory and in a file");
  if constexpr (std::is_same_v<T, Float16>) return float16_type();
  if constexpr (std::is_same_v<T, float>) return copy_of(H5T_NATIVE_FLOAT);
  if constexpr (std::is_same_v<T, double>) return copy_of(H5T_NATIVE_DOUBLE);
  if constexpr (std::is_same_v<T, std::int32_t>) return copy_of(H5T_NATIVE_INT32);
  if constexpr (std::is_same_v<T, std::int64_t>) return copy_of(H5T_NATIVE_INT64);
  if constexpr (std::is_same_v<T, std::uint8_t>) return copy_of(H5T_NATIVE_UINT8);
}

template <typename T>
/// T in a file.
Type file_type() {
  if constexpr (std::is_same_v<T, Float16>) return float16_type();
  if constexpr (std::is_same_v<T, float>) return copy_of(H5T_IEEE_F32LE);
  if constexpr (std::is_same_v<T, double>) return copy_of(H5T_IEEE_F64LE);
  if constexpr (std::is_same_v<T, std::int32_t>) return copy_of(H5T_STD_I32LE);
  if constexpr (std::is_same_v<T, std::int64_t>) return copy_of(H5T_STD_I64LE);
  if constexpr (std::is_same_v<T, std::uint8_t>) return copy_of(H5T_STD_U8LE);
}

/// Throws unless `type` holds numbers that may be read as T. Floats are never read as integers, because HDF5
/// would clip and truncate without a warning. Only float16 is read as float16, because HDF5 1.10 rounds
/// wrongly.
template <typename T>
void check_numeric(const Type& type, hid_t parent, std::string_view name) {
  if constexpr (std::is_same_v<T, Float16>) {
    if (!is_float16(type)) throw failure(parent, name, "does not hold float16");
    return;
  }
  const H5T_class_t kind = H5Tget_class(type.id());
  if (kind == H5T_INTEGER || (kind == H5T_FLOAT && std::is_floating_point_v<T>)) return;
  throw failure(parent, name, std::is_floating_point_v<T> ? "holds no numbers" : "holds no integers");
}

}  // namespace headstart::hdf5
