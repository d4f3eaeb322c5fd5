// features/hdf5/file.hpp: opens and makes HDF5 files.
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
/// Opens a file image in memory for reading. The bytes are not copied, as there may be 64 MiB of them, and so
/// have to outlive the file.
[[nodiscard]] File open_image(std::span<const std::byte> bytes);
/// A new file in memory (core driver, nothing on disk), without time stamps, so that equal contents give
/// equal bytes.
[[nodiscard]] File create_in_memory();
/// A new file on disk, without time stamps. @throws Error if it exists
[[nodiscard]] File create_file(const std::filesystem::path& file);
/// Flushes a file made by create_in_memory and returns its bytes.
[[nodiscard]] std::vector<std::byte> file_image(const File& file);
/// Flushes everything to the operating system. @throws Error, e.g. when the disk is full
void flush(const File& file);

}  // namespace headstart::hdf5
