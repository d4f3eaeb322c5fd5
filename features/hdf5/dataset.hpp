// features/hdf5/dataset.hpp: datasets of numbers, read and written whole.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "features/float16.hpp"
#include "features/hdf5/handle.hpp"

namespace headstart::hdf5 {

[[nodiscard]] Extents extents(hid_t parent, const std::string& dataset);
/// Whether a dataset's values are IEEE 754 binary16, little-endian.
[[nodiscard]] bool is_float16(hid_t parent, const std::string& dataset);
/// Whether a dataset's values are floating-point numbers of any size.
[[nodiscard]] bool holds_floats(hid_t parent, const std::string& dataset);
/// A numeric dataset, converted to T = float, double, int32, int64 or uint8, or unconverted for T = Float16.
/// Floats are never read as integers. Throws Error for more than `max_elements`, before anything is
/// allocated, and for values that lie in other files.
template <typename T>
[[nodiscard]] std::vector<T> read(hid_t parent, const std::string& dataset, std::uint64_t max_elements);
/// Writes a dataset of T, little-endian. @param compress  shuffle and deflate, in chunks of rows
template <typename T>
void write(hid_t parent, const std::string& dataset, const Extents& extents, std::span<const T> values,
           bool compress = false);

}  // namespace headstart::hdf5
