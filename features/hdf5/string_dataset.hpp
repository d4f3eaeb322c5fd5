// features/hdf5/string_dataset.hpp: one-dimensional datasets of strings.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "features/hdf5/handle.hpp"

namespace headstart::hdf5 {

/// Writes a one-dimensional dataset of variable-length UTF-8 strings (h5py writes a list of str in this
/// form).
void write_string_dataset(hid_t parent, const std::string& dataset, const std::vector<std::string>& values);
/// A one-dimensional dataset of strings, of fixed or variable length. Throws Error for more than
/// `max_strings` or more than 1 GiB of text, before anything is allocated. Also throws Error for a string
/// that claims to be longer than the file.
[[nodiscard]] std::vector<std::string> read_string_dataset(hid_t parent, const std::string& dataset,
                                                           std::uint64_t max_strings);

}  // namespace headstart::hdf5
