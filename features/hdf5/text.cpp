// features/hdf5/text.cpp
#include "features/hdf5/text.hpp"

#include <fmt/format.h>

#include <string_view>

#include "features/hdf5/calls.hpp"
#include "features/hdf5/variable_text.hpp"

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

std::vector<std::string> read_text(hid_t object, const std::string& name, const Type& type,
                                   std::uint64_t count, std::uint64_t most_bytes, const ReadAs& read) {
  if (H5Tget_class(type.id()) != H5T_STRING) throw failure(object, name, "does not hold text");
  if (H5Tis_variable_str(type.id()) > 0)
    return read_variable_text(object, name, type, count, most_bytes, read);
  const std::size_t width = H5Tget_size(type.id());
  if (width == 0 || count > most_bytes / width) throw too_much_text(object, name, most_bytes);
  std::string cells(width * count, '\0');
  check(read(type.id(), cells.data()), object, name);
  std::vector<std::string> strings;
  strings.reserve(count);
  for (std::size_t i = 0; i < count; ++i)
    strings.push_back(unpadded(std::string_view(cells).substr(i * width, width), H5Tget_strpad(type.id())));
  return strings;
}

}  // namespace headstart::hdf5
