// tests/features/hdf5/hdf5_on_disk.hpp: files that HDF5 itself writes on disk, as other programs have it do.
#pragma once

#include <hdf5.h>

#include <filesystem>

#include "features/hdf5/handle.hpp"

namespace headstart::test {

/// A new file.
inline hdf5::File made_on_disk(const std::filesystem::path& file) {
  return hdf5::File{H5Fcreate(file.c_str(), H5F_ACC_EXCL, H5P_DEFAULT, H5P_DEFAULT)};
}

}  // namespace headstart::test
