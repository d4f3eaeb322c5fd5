// features/hdf5/variable_text.hpp: strings of variable length. In a file each is a length and a place in one
// of the file's heaps. HDF5 allocates what a length claims, and loses what it allocated where a later string
// can't be read. So lengths are looked at before HDF5 uses them, and strings go to memory of ours.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/error.hpp"
#include "features/hdf5/handle.hpp"
#include "features/hdf5/text.hpp"

namespace headstart::hdf5 {

/// As read_text(), of a `type` of variable length.
/// @throws Error also if a string claims to be longer than its file
[[nodiscard]] std::vector<std::string> read_variable_text(hid_t object, const std::string& name,
                                                          const Type& type, std::uint64_t count,
                                                          std::uint64_t most_bytes, const ReadAs& read);

/// What is said of more text than allowed.
[[nodiscard]] Error too_much_text(hid_t object, const std::string& name, std::uint64_t most_bytes);

}  // namespace headstart::hdf5
