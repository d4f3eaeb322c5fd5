// features/hdf5/calls.hpp: wraps every HDF5 call: nothing is printed, the result is checked, and a failure
// becomes an Error.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "data/error.hpp"
#include "features/hdf5/handle.hpp"

namespace headstart::hdf5 {

/// Stops HDF5 from printing its own error stack, because every error becomes an exception of ours. Also stops
/// HDF5 from loading code from its plugin folder when a file names an unknown filter.
void silence();

/// The description that HDF5 pushed deepest: the cause, not the symptom. The next HDF5 call forgets it.
[[nodiscard]] std::string innermost_error();

/// The start of every in-memory file's name. Messages call such a file "memory".
inline constexpr std::string_view kMemoryName = "headstart memory ";

/// The path of an object in its file; empty if it has no name.
[[nodiscard]] std::string path_of(hid_t object);

/// @param name  of the dataset, group or attribute, below `object`
[[nodiscard]] Error failure(hid_t object, std::string_view name, std::string_view why);

/// For calls that fail only if memory is short or an argument is wrong.
hid_t checked(hid_t id);
void check(herr_t status);
/// For all other calls. @param name  as in failure()
hid_t checked(hid_t id, hid_t parent, std::string_view name);
void check(herr_t status, hid_t parent, std::string_view name);

/// Creation properties without time stamps.
[[nodiscard]] PropertyList untimed(hid_t kind);

/// Size in bytes of the file that `object` is in. @param name  as in failure()
[[nodiscard]] std::uint64_t file_size(hid_t object, std::string_view name);

}  // namespace headstart::hdf5
