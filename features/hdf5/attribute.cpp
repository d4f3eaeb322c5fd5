// features/hdf5/attribute.cpp
#include "features/hdf5/attribute.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "features/hdf5/calls.hpp"
#include "features/hdf5/number_type.hpp"
#include "features/hdf5/shape.hpp"
#include "features/hdf5/text.hpp"

namespace headstart::hdf5 {
namespace {

constexpr std::uint64_t kMaxStringBytes = std::uint64_t{64} << 20;
constexpr std::uint64_t kMaxStrings = 1'000'000;
constexpr std::uint64_t kMaxAttributeNumbers = 1'000'000;

Attribute open_attribute(hid_t object, const std::string& name) {
  silence();
  return Attribute{checked(H5Aopen(object, name.c_str(), H5P_DEFAULT), object, name)};
}

void write_attribute(hid_t object, const std::string& name, const Type& type, const Space& space,
                     const void* values) {
  silence();
  const Attribute attribute{checked(
      H5Acreate2(object, name.c_str(), type.id(), space.id(), H5P_DEFAULT, H5P_DEFAULT), object, name)};
  check(H5Awrite(attribute.id(), type.id(), values), object, name);
}

std::vector<std::string> read_attribute_strings(hid_t object, const std::string& name) {
  const Attribute attribute = open_attribute(object, name);
  const Type type{checked(H5Aget_type(attribute.id()), object, name)};
  const Space space{checked(H5Aget_space(attribute.id()), object, name)};
  const std::uint64_t count = elements(space);
  if (count == 0) return {};  // of any type: Keras writes an empty list of names as an empty array of floats
  if (count > kMaxStrings) throw failure(object, name, fmt::format("holds {} strings", count));
  return read_text(object, name, type, count, kMaxStringBytes,
                   [&](hid_t as, void* values) { return H5Aread(attribute.id(), as, values); });
}

}  // namespace

bool has_attribute(hid_t object, const std::string& name) {
  silence();
  const htri_t found = H5Aexists(object, name.c_str());
  check(found, object, name);
  return found > 0;
}

std::string read_string(hid_t object, const std::string& attribute) {
  const std::vector<std::string> strings = read_attribute_strings(object, attribute);
  if (strings.size() != 1) throw failure(object, attribute, "is not one string");
  return strings.front();
}

std::vector<std::string> read_strings(hid_t object, const std::string& attribute) {
  return read_attribute_strings(object, attribute);
}

template <typename T>
std::vector<T> read_numbers(hid_t object, const std::string& attribute) {
  const Attribute opened = open_attribute(object, attribute);
  const Type type{checked(H5Aget_type(opened.id()), object, attribute)};
  check_numeric<T>(type, object, attribute);
  const Space space{checked(H5Aget_space(opened.id()), object, attribute)};
  const std::uint64_t count = elements(space);
  if (count > kMaxAttributeNumbers) throw failure(object, attribute, fmt::format("holds {} values", count));
  std::vector<T> values(count);
  if (values.empty()) return values;
  check(H5Aread(opened.id(), native_type<T>().id(), values.data()), object, attribute);
  return values;
}

void write_string(hid_t object, const std::string& attribute, const std::string& value) {
  const std::size_t size = std::max<std::size_t>(value.size(), 1);  // HDF5 has no string of length 0
  write_attribute(object, attribute, string_type(size, H5T_CSET_UTF8), make_space({}), value.c_str());
}

void write_variable_string(hid_t object, const std::string& attribute, const std::string& value) {
  const char* const text = value.c_str();
  write_attribute(object, attribute, string_type(H5T_VARIABLE, H5T_CSET_UTF8), make_space({}), &text);
}

void write_strings(hid_t object, const std::string& attribute, const std::vector<std::string>& values) {
  std::size_t width = 1;
  for (const std::string& value : values) width = std::max(width, value.size());
  std::string buffer(width * values.size(), '\0');
  for (std::size_t i = 0; i < values.size(); ++i) values[i].copy(buffer.data() + i * width, width);
  write_attribute(object, attribute, string_type(width, H5T_CSET_UTF8), make_space({values.size()}),
                  buffer.data());
}

template <typename T>
void write_numbers(hid_t object, const std::string& attribute, const Extents& extents,
                   std::span<const T> values) {
  if (elements(extents) != values.size()) {
    throw failure(object, attribute, "is given a shape that does not fit its values");
  }
  write_attribute(object, attribute, file_type<T>(), make_space(extents), values.data());
}

#define HEADSTART_INSTANTIATE(T)                                      \
  template std::vector<T> read_numbers<T>(hid_t, const std::string&); \
  template void write_numbers<T>(hid_t, const std::string&, const Extents&, std::span<const T>)
HEADSTART_INSTANTIATE(float);
HEADSTART_INSTANTIATE(double);
HEADSTART_INSTANTIATE(std::int32_t);
HEADSTART_INSTANTIATE(std::int64_t);
HEADSTART_INSTANTIATE(std::uint8_t);
#undef HEADSTART_INSTANTIATE

}  // namespace headstart::hdf5
