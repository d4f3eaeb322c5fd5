// features/hdf5/variable_text.hpp: strings of variable length. In a file each string is a length and a place
// in one of the file's heaps. HDF5 allocates the stated length without a check, and leaks the memory if a
// later string can't be read. So this code checks the lengths before HDF5 uses them, and strings go to memory
// that headstart owns.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/error.hpp"
#include "features/hdf5/handle.hpp"
#include "features/hdf5/text.hpp"

namespace headstart::hdf5 {

/// Like read_text(), for a `type` of variable length.
/// @throws Error also if a string claims to be longer than its file
[[nodiscard]] std::vector<std::string> read_variable_text(hid_t object, const std::string& name,
                                                          const Type& type, std::uint64_t count,
                                                          std::uint64_t most_bytes, const ReadAs& read);

/// The error for more text than allowed.
[[nodiscard]] Error too_much_text(hid_t object, const std::string& name, std::uint64_t most_bytes);

}  // namespace headstart::hdf5
