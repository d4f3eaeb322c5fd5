// features/hdf5/file_access.hpp: how files are opened and made, on disk and in memory.
#pragma once

#include <string>

#include "features/hdf5/handle.hpp"

namespace headstart::hdf5 {

/// Closing a file closes what is open in it, so that a handle that outlives its file can't keep the file
/// open.
[[nodiscard]] PropertyList file_access();

/// The same for a file in memory, without a file on disk.
/// @param callbacks  who allocates and frees its image; nullptr: HDF5
[[nodiscard]] PropertyList memory_access(H5FD_file_image_callbacks_t* callbacks = nullptr);

/// HDF5 takes two in-memory files of one name for the same file, so each of ours gets a name of its own.
[[nodiscard]] std::string next_memory_name();

}  // namespace headstart::hdf5
