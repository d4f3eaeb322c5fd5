// tests/support/golden.cpp
#include "tests/support/golden.hpp"

#include <hdf5.h>

#include <cmath>
#include <cstdlib>
#include <iostream>
#include <limits>

namespace headstart::test {
namespace {

[[noreturn]] void give_up(const std::string& what) {
  std::cerr << "golden data: cannot read " << what << '\n';
  std::abort();
}

hid_t open_file(const std::string& file) {
  const std::string path = source_path("tests/golden/" + file);
  const hid_t id = H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  if (id < 0) give_up(path);
  return id;
}

std::vector<std::size_t> extents(hid_t space) {
  std::vector<hsize_t> dims(static_cast<std::size_t>(H5Sget_simple_extent_ndims(space)));
  H5Sget_simple_extent_dims(space, dims.data(), nullptr);
  return {dims.begin(), dims.end()};
}

std::size_t product(const std::vector<std::size_t>& shape) {
  std::size_t result = 1;
  for (const std::size_t extent : shape) result *= extent;
  return result;
}

}  // namespace

std::string source_path(const std::string& relative) {
  return std::string(HEADSTART_SOURCE_DIR) + "/" + relative;
}

GoldenArray golden_array(const std::string& file, const std::string& dataset) {
  const hid_t file_id = open_file(file);
  const hid_t id = H5Dopen2(file_id, dataset.c_str(), H5P_DEFAULT);
  if (id < 0) give_up(file + dataset);
  const hid_t space = H5Dget_space(id);
  GoldenArray array;
  array.shape = extents(space);
  array.values.resize(product(array.shape));
  if (H5Dread(id, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, array.values.data()) < 0)
    give_up(file + dataset);
  H5Sclose(space);
  H5Dclose(id);
  H5Fclose(file_id);
  return array;
}

std::vector<std::string> golden_strings(const std::string& file, const std::string& dataset) {
  const hid_t file_id = open_file(file);
  const hid_t id = H5Dopen2(file_id, dataset.c_str(), H5P_DEFAULT);
  if (id < 0) give_up(file + dataset);
  const hid_t type = H5Dget_type(id);
  const hid_t space = H5Dget_space(id);
  const std::size_t width = H5Tget_size(type);
  const std::size_t count = product(extents(space));
  std::string buffer(width * count, '\0');
  if (H5Dread(id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, buffer.data()) < 0) give_up(file + dataset);
  H5Sclose(space);
  H5Tclose(type);
  H5Dclose(id);
  H5Fclose(file_id);
  std::vector<std::string> result;
  for (std::size_t i = 0; i < count; ++i) result.emplace_back(buffer.substr(i * width, width).c_str());
  return result;
}

std::vector<double> golden_attribute(const std::string& file, const std::string& object,
                                     const std::string& attribute) {
  const hid_t file_id = open_file(file);
  const hid_t id = H5Aopen_by_name(file_id, object.c_str(), attribute.c_str(), H5P_DEFAULT, H5P_DEFAULT);
  if (id < 0) give_up(file + object + "@" + attribute);
  const hid_t type = H5Aget_type(id);
  const hid_t space = H5Aget_space(id);
  const std::size_t count = product(extents(space));
  std::vector<double> values(count);
  if (H5Tget_class(type) == H5T_ENUM) {  // h5py stores booleans as an enumeration of FALSE and TRUE
    std::vector<signed char> flags(count);
    if (H5Aread(id, type, flags.data()) < 0) give_up(file + object + "@" + attribute);
    values.assign(flags.begin(), flags.end());
  } else if (H5Aread(id, H5T_NATIVE_DOUBLE, values.data()) < 0) {
    give_up(file + object + "@" + attribute);
  }
  H5Sclose(space);
  H5Tclose(type);
  H5Aclose(id);
  H5Fclose(file_id);
  return values;
}

double relative_l2_error(const float* a, const std::vector<float>& b) {
  double difference = 0.0;
  double norm = 0.0;
  for (std::size_t i = 0; i < b.size(); ++i) {
    const double delta = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    difference += delta * delta;
    norm += static_cast<double>(b[i]) * static_cast<double>(b[i]);
  }
  return norm > 0.0 ? std::sqrt(difference / norm) : std::numeric_limits<double>::infinity();
}

double relative_l2_error(const std::vector<float>& a, const std::vector<float>& b) {
  if (a.size() != b.size()) return std::numeric_limits<double>::infinity();
  return relative_l2_error(a.data(), b);
}

}  // namespace headstart::test
