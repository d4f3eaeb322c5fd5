// features/hdf5/file_access.cpp
#include "features/hdf5/file_access.hpp"

#include <fmt/format.h>

#include <atomic>
#include <cstdint>

#include "features/hdf5/calls.hpp"

namespace headstart::hdf5 {
namespace {

constexpr std::size_t kImageIncrement = std::size_t{1} << 20;

}  // namespace

PropertyList file_access() {
  PropertyList access{checked(H5Pcreate(H5P_FILE_ACCESS))};
  check(H5Pset_fclose_degree(access.id(), H5F_CLOSE_STRONG));
  // The files that headstart reads never change, and no other process sees those that it writes. Locks only
  // fail, on many network file systems.
  check(H5Pset_file_locking(access.id(), false, true));
  return access;
}

PropertyList memory_access(H5FD_file_image_callbacks_t* callbacks) {
  PropertyList access = file_access();
  check(H5Pset_fapl_core(access.id(), kImageIncrement, false));
  if (callbacks != nullptr) check(H5Pset_file_image_callbacks(access.id(), callbacks));
  return access;
}

std::string next_memory_name() {
  static std::atomic<std::uint64_t> count{0};
  return fmt::format("{}{}", kMemoryName, ++count);
}

}  // namespace headstart::hdf5
