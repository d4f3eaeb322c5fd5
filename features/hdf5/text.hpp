// features/hdf5/text.hpp: strings of fixed and of variable length, in datasets and attributes. Invariant: the
// stated length of the strings is known, and within a limit, before anything is allocated for them.
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

/// Reads all elements of a dataset or an attribute as a type into a buffer.
using ReadAs = std::function<herr_t(hid_t type, void* values)>;

/// The strings of the dataset or attribute `name` of `object`: `count` elements of `type`.
/// @throws Error if it holds no text, or more than `most_bytes` of text
[[nodiscard]] std::vector<std::string> read_text(hid_t object, const std::string& name, const Type& type,
                                                 std::uint64_t count, std::uint64_t most_bytes,
                                                 const ReadAs& read);

}  // namespace headstart::hdf5
