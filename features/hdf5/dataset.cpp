// features/hdf5/dataset.cpp
#include "features/hdf5/dataset.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "features/hdf5/calls.hpp"
#include "features/hdf5/number_type.hpp"
#include "features/hdf5/shape.hpp"
#include "features/hdf5/storage.hpp"

namespace headstart::hdf5 {
namespace {

constexpr std::uint64_t kChunkElements = std::uint64_t{1} << 18;  // 1 MiB of float32: HDF5's chunk cache
constexpr unsigned kDeflateLevel = 4;

}  // namespace

Extents extents(hid_t parent, const std::string& dataset) {
  const Dataset opened = open_dataset(parent, dataset);
  return extents_of(Space{checked(H5Dget_space(opened.id()), parent, dataset)});
}

bool is_float16(hid_t parent, const std::string& dataset) {
  const Dataset opened = open_dataset(parent, dataset);
  return is_float16(Type{checked(H5Dget_type(opened.id()), parent, dataset)});
}

bool holds_floats(hid_t parent, const std::string& dataset) {
  const Dataset opened = open_dataset(parent, dataset);
  return H5Tget_class(Type{checked(H5Dget_type(opened.id()), parent, dataset)}.id()) == H5T_FLOAT;
}

template <typename T>
std::vector<T> read(hid_t parent, const std::string& dataset, std::uint64_t max_elements) {
  const Dataset opened = open_dataset(parent, dataset);
  const Type type{checked(H5Dget_type(opened.id()), parent, dataset)};
  check_numeric<T>(type, parent, dataset);
  const Space space{checked(H5Dget_space(opened.id()), parent, dataset)};
  const std::uint64_t count = elements(space);
  if (count > max_elements) {
    throw failure(parent, dataset,
                  fmt::format("holds {} values, at most {} are expected", count, max_elements));
  }
  check_storage(opened, type, parent, dataset);
  std::vector<T> values(count);
  if (values.empty()) return values;
  check(H5Dread(opened.id(), native_type<T>().id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), parent,
        dataset);
  return values;
}

template <typename T>
void write(hid_t parent, const std::string& dataset, const Extents& extents, std::span<const T> values,
           bool compress) {
  silence();
  if (elements(extents) != values.size())
    throw failure(parent, dataset, "is given a shape that does not fit its values");
  const PropertyList properties = untimed(H5P_DATASET_CREATE);
  if (compress && !values.empty() && !extents.empty()) {
    std::vector<hsize_t> chunk(extents.begin(), extents.end());
    const std::uint64_t row = elements(std::span(extents).subspan(1));
    chunk[0] = std::clamp<std::uint64_t>(kChunkElements / row, 1, extents[0]);
    check(H5Pset_chunk(properties.id(), static_cast<int>(chunk.size()), chunk.data()));
    check(H5Pset_shuffle(properties.id()));
    check(H5Pset_deflate(properties.id(), kDeflateLevel));
  }
  const Space space = make_space(extents);
  const Dataset created{checked(H5Dcreate2(parent, dataset.c_str(), file_type<T>().id(), space.id(),
                                           H5P_DEFAULT, properties.id(), H5P_DEFAULT),
                                parent, dataset)};
  if (values.empty()) return;
  check(H5Dwrite(created.id(), native_type<T>().id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), parent,
        dataset);
}

#define HEADSTART_INSTANTIATE(T)                                             \
  template std::vector<T> read<T>(hid_t, const std::string&, std::uint64_t); \
  template void write<T>(hid_t, const std::string&, const Extents&, std::span<const T>, bool)
HEADSTART_INSTANTIATE(Float16);
HEADSTART_INSTANTIATE(float);
HEADSTART_INSTANTIATE(double);
HEADSTART_INSTANTIATE(std::int32_t);
HEADSTART_INSTANTIATE(std::int64_t);
HEADSTART_INSTANTIATE(std::uint8_t);
#undef HEADSTART_INSTANTIATE

}  // namespace headstart::hdf5
