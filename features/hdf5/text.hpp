// features/hdf5/text.hpp: strings of fixed and of variable length, as datasets and attributes have them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "features/hdf5/handle.hpp"

namespace headstart::hdf5 {

/// @param size  in bytes, or H5T_VARIABLE
[[nodiscard]] Type string_type(std::size_t size, H5T_cset_t characters);

/// Whether `count` strings of this type, which is of fixed length, have more bytes than allowed.
[[nodiscard]] bool too_long(const Type& type, std::uint64_t count, std::uint64_t most_bytes);

/// Strings of fixed length, `width` bytes each.
/// @param read  fills a buffer of width * count bytes
[[nodiscard]] std::vector<std::string> read_fixed_strings(const Type& type, std::uint64_t count,
                                                          const std::function<void(void*)>& read);

/// Strings of variable length, which HDF5 allocates.
/// @param read  fills an array of `count` pointers
[[nodiscard]] std::vector<std::string> read_variable_strings(const Type& type, const Space& space,
                                                             std::uint64_t count,
                                                             const std::function<void(void*)>& read);

}  // namespace headstart::hdf5
