// features/hdf5/text.cpp
#include "features/hdf5/text.hpp"

#include <string_view>

#include "features/hdf5/calls.hpp"

namespace headstart::hdf5 {
namespace {

/// A fixed-length string without its padding.
std::string unpadded(std::string_view cell, H5T_str_t padding) {
  const std::size_t last = cell.find_last_not_of(padding == H5T_STR_SPACEPAD ? ' ' : '\0');
  cell = cell.substr(0, last == std::string_view::npos ? 0 : last + 1);
  return std::string(cell.substr(0, cell.find('\0')));
}

}  // namespace

Type string_type(std::size_t size, H5T_cset_t characters) {
  Type type{checked(H5Tcopy(H5T_C_S1))};
  check(H5Tset_size(type.id(), size));
  check(H5Tset_strpad(type.id(), size == H5T_VARIABLE ? H5T_STR_NULLTERM : H5T_STR_NULLPAD));
  check(H5Tset_cset(type.id(), characters));
  return type;
}

bool too_long(const Type& type, std::uint64_t count, std::uint64_t most_bytes) {
  const std::size_t width = H5Tget_size(type.id());
  return width == 0 || count > most_bytes / width;
}

std::vector<std::string> read_fixed_strings(const Type& type, std::uint64_t count,
                                            const std::function<void(void*)>& read) {
  const std::size_t width = H5Tget_size(type.id());
  std::string buffer(width * count, '\0');
  read(buffer.data());
  std::vector<std::string> strings;
  strings.reserve(count);
  for (std::size_t i = 0; i < count; ++i)
    strings.push_back(unpadded(std::string_view(buffer).substr(i * width, width), H5Tget_strpad(type.id())));
  return strings;
}

std::vector<std::string> read_variable_strings(const Type& type, const Space& space, std::uint64_t count,
                                               const std::function<void(void*)>& read) {
  std::vector<char*> texts(count, nullptr);
  read(texts.data());
  std::vector<std::string> strings;
  strings.reserve(count);
  for (const char* text : texts) strings.emplace_back(text == nullptr ? "" : text);
  check(H5Dvlen_reclaim(type.id(), space.id(), H5P_DEFAULT, texts.data()));
  return strings;
}

}  // namespace headstart::hdf5
