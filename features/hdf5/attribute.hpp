// features/hdf5/attribute.hpp: attributes of files, groups and datasets: strings and numbers.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "features/hdf5/handle.hpp"

namespace headstart::hdf5 {

[[nodiscard]] bool has_attribute(hid_t object, const std::string& name);
/// A string attribute of fixed or variable length, in any character set. Throws Error for more than 64 MiB,
/// or a string that claims to be longer than the file, before anything is allocated.
[[nodiscard]] std::string read_string(hid_t object, const std::string& attribute);
/// An array of strings, with the same limits; 64 MiB in all.
[[nodiscard]] std::vector<std::string> read_strings(hid_t object, const std::string& attribute);
/// A numeric attribute.
template <typename T>
[[nodiscard]] std::vector<T> read_numbers(hid_t object, const std::string& attribute);

/// A scalar fixed-length UTF-8 string (Keras reads this form everywhere).
void write_string(hid_t object, const std::string& attribute, const std::string& value);
/// A scalar variable-length UTF-8 string (AnnData requires this form).
void write_variable_string(hid_t object, const std::string& attribute, const std::string& value);
/// A one-dimensional array of fixed-length strings; an empty one has no element.
void write_strings(hid_t object, const std::string& attribute, const std::vector<std::string>& values);
template <typename T>
void write_numbers(hid_t object, const std::string& attribute, const Extents& extents,
                   std::span<const T> values);

}  // namespace headstart::hdf5
