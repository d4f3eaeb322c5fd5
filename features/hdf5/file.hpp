// features/hdf5/file.hpp: opens HDF5 files, and makes them in memory. HDF5 never writes to disk here, because
// HDF5 1.10 crashes when it closes a file and the disk is full.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <vector>

#include "features/hdf5/handle.hpp"

namespace headstart::hdf5 {

/// Opens a file on disk for reading.
/// @throws Error if it is missing, unreadable, no regular file or no HDF5 file
[[nodiscard]] File open_file(const std::filesystem::path& file);
/// Opens a file image in memory for reading. There may be 64 MiB of bytes, so they are not copied and have to
/// outlive the file.
[[nodiscard]] File open_image(std::span<const std::byte> bytes);
/// A new file in memory (core driver, nothing on disk), without time stamps. So equal contents give equal
/// files.
[[nodiscard]] File create_in_memory();
/// Flushes a file made by create_in_memory and returns its bytes.
[[nodiscard]] std::vector<std::byte> file_image(const File& file);

}  // namespace headstart::hdf5
