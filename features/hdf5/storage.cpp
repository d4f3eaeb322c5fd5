// features/hdf5/storage.cpp
#include "features/hdf5/storage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "features/hdf5/calls.hpp"
#include "features/hdf5/object.hpp"
#include "features/hdf5/shape.hpp"

namespace headstart::hdf5 {
namespace {

constexpr std::uint64_t kMaxChunkBytes = std::uint64_t{256} << 20;
constexpr std::uint64_t kMostDeflated = 1032;  // bytes from one compressed byte
constexpr std::uint64_t kMaxUnwrittenBytes = std::uint64_t{16} << 20;

/// The filters that h5py and headstart write with. HDF5's own defects are in the filters for special data.
bool is_plain(H5Z_filter_t filter) {
  return filter == H5Z_FILTER_DEFLATE || filter == H5Z_FILTER_SHUFFLE || filter == H5Z_FILTER_FLETCHER32;
}

/// Unwritten values are read as zeros, so a file could claim any number of them.
void check_size(const Dataset& dataset, const Type& type, hid_t parent, std::string_view name) {
  const std::uint64_t stored = H5Dget_storage_size(dataset.id());
  if (stored > file_size(parent, name)) throw failure(parent, name, "is larger than its file");
  const std::uint64_t count = elements(Space{checked(H5Dget_space(dataset.id()), parent, name)});
  const std::uint64_t most = std::max(kMaxUnwrittenBytes, stored * kMostDeflated);
  if (count > most / std::max<std::uint64_t>(H5Tget_size(type.id()), 1))
    throw failure(parent, name,
                  fmt::format("claims {} values, of which the file has {} bytes", count, stored));
}

void check_chunks(const PropertyList& properties, const Type& type, hid_t parent, std::string_view name) {
  std::array<hsize_t, H5S_MAX_RANK> chunk{};
  const int rank = H5Pget_chunk(properties.id(), static_cast<int>(chunk.size()), chunk.data());
  check(rank, parent, name);
  const std::uint64_t size = elements(Extents(chunk.begin(), chunk.begin() + rank));
  if (size > kMaxChunkBytes / std::max<std::uint64_t>(H5Tget_size(type.id()), 1)) {
    throw failure(parent, name, "is stored in chunks of more than 256 MiB");
  }
  const int filters = H5Pget_nfilters(properties.id());
  check(filters, parent, name);
  for (unsigned i = 0; std::cmp_less(i, filters); ++i) {
    unsigned flags = 0;
    std::size_t values = 0;
    const H5Z_filter_t filter =
        H5Pget_filter2(properties.id(), i, &flags, &values, nullptr, 0, nullptr, nullptr);
    if (!is_plain(filter)) {
      throw failure(parent, name,
                    fmt::format("is packed by filter {}, where deflate, shuffle and checksums are read",
                                static_cast<int>(filter)));
    }
  }
}

}  // namespace

Dataset open_dataset(hid_t parent, const std::string& name) {
  silence();
  require(parent, name);
  return Dataset{checked(H5Dopen2(parent, name.c_str(), H5P_DEFAULT), parent, name)};
}

void check_storage(const Dataset& dataset, const Type& type, hid_t parent, std::string_view name) {
  const PropertyList properties{checked(H5Dget_create_plist(dataset.id()), parent, name)};
  const H5D_layout_t layout = H5Pget_layout(properties.id());
  if (layout == H5D_VIRTUAL || H5Pget_external_count(properties.id()) > 0) {
    throw failure(parent, name, "has its values in another file, which is not opened");
  }
  if (layout == H5D_CHUNKED) check_chunks(properties, type, parent, name);
  check_size(dataset, type, parent, name);
}

}  // namespace headstart::hdf5
