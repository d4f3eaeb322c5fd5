// features/hdf5/file_access.hpp: the settings with which files are opened and made, on disk and in memory.
#pragma once

#include <string>

#include "features/hdf5/handle.hpp"

namespace headstart::hdf5 {

/// Closing a file also closes all open objects in it. So a handle that outlives its file can't keep the file
/// open.
[[nodiscard]] PropertyList file_access();

/// Like file_access(), for a file in memory, without a file on disk.
/// @param callbacks  who allocates and frees its image; nullptr: HDF5
[[nodiscard]] PropertyList memory_access(H5FD_file_image_callbacks_t* callbacks = nullptr);

/// A new name for a file in memory. HDF5 takes two in-memory files of one name for the same file.
[[nodiscard]] std::string next_memory_name();

}  // namespace headstart::hdf5
