// features/hdf5/shape.cpp
#include "features/hdf5/shape.hpp"

#include <limits>
#include <vector>

#include "features/hdf5/calls.hpp"

namespace headstart::hdf5 {

Extents extents_of(const Space& space) {
  const int rank = H5Sget_simple_extent_ndims(space.id());
  check(rank);
  std::vector<hsize_t> dims(static_cast<std::size_t>(rank));
  check(H5Sget_simple_extent_dims(space.id(), dims.data(), nullptr));
  return {dims.begin(), dims.end()};
}

std::uint64_t elements(std::span<const std::uint64_t> extents) {
  std::uint64_t product = 1;
  for (const std::uint64_t extent : extents) {
    if (extent != 0 && product > std::numeric_limits<std::uint64_t>::max() / extent) {
      return std::numeric_limits<std::uint64_t>::max();
    }
    product *= extent;
  }
  return product;
}

std::uint64_t elements(const Space& space) {
  return H5Sget_simple_extent_type(space.id()) == H5S_NULL ? 0 : elements(extents_of(space));
}

Space make_space(const Extents& extents) {
  if (extents.empty()) return Space{checked(H5Screate(H5S_SCALAR))};
  const std::vector<hsize_t> dims(extents.begin(), extents.end());
  return Space{checked(H5Screate_simple(static_cast<int>(dims.size()), dims.data(), nullptr))};
}

}  // namespace headstart::hdf5
