// features/hdf5/calls.hpp: how every call of HDF5's is made: silent, its result checked, its failure an
// Error.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "data/error.hpp"
#include "features/hdf5/handle.hpp"

namespace headstart::hdf5 {

/// HDF5 prints its own error stack unless told not to; every error becomes an exception of ours instead. And
/// it would load code from its folder of plugins when a file names a filter that it does not know.
void silence();

/// The description that HDF5 pushed deepest: the cause, not the symptom. Any call of HDF5 forgets it.
[[nodiscard]] std::string innermost_error();

/// The start of every in-memory file's name; messages call such a file "memory".
inline constexpr std::string_view kMemoryName = "headstart memory ";

/// Where an object is in its file; empty where it has no name.
[[nodiscard]] std::string path_of(hid_t object);

/// @param name  of the dataset, group or attribute, below `object`
[[nodiscard]] Error failure(hid_t object, std::string_view name, std::string_view why);

/// For calls that fail only when memory is short or an argument is wrong.
hid_t checked(hid_t id);
void check(herr_t status);
/// For all others. @param name  as failure() has it
hid_t checked(hid_t id, hid_t parent, std::string_view name);
void check(herr_t status, hid_t parent, std::string_view name);

/// Properties to make something with, without time stamps.
[[nodiscard]] PropertyList untimed(hid_t kind);

/// Bytes of the file that `object` is in. @param name  as failure() has it
[[nodiscard]] std::uint64_t file_size(hid_t object, std::string_view name);

}  // namespace headstart::hdf5
