// features/hdf5/calls.cpp
#include "features/hdf5/calls.hpp"

#include <fmt/format.h>

namespace headstart::hdf5 {
namespace {

/// The name that HDF5 has for an id, by H5Fget_name or H5Iget_name.
template <typename GetName>
std::string name_of(hid_t object, GetName get_name) {
  const ssize_t length = get_name(object, nullptr, 0);
  if (length <= 0) return {};
  std::string name(static_cast<std::size_t>(length) + 1, '\0');
  if (get_name(object, name.data(), name.size()) != length) return {};
  name.pop_back();
  return name;
}

std::string file_name(hid_t object) {
  const std::string name = name_of(object, H5Fget_name);
  return name.empty() || name.starts_with(kMemoryName) ? "memory" : name;
}

}  // namespace

std::string path_of(hid_t object) { return name_of(object, H5Iget_name); }

std::string innermost_error() {
  std::string description = "no reason given";
  H5Ewalk2(
      H5E_DEFAULT, H5E_WALK_UPWARD,
      [](unsigned n, const H5E_error2_t* error, void* text) -> herr_t {
        if (n == 0 && error->desc != nullptr) *static_cast<std::string*>(text) = error->desc;
        return 0;
      },
      &description);
  return description;
}

Error failure(hid_t object, std::string_view name, std::string_view why) {
  std::string path = path_of(object);
  if (!path.ends_with('/')) path += '/';
  return Error{Error::Kind::kFailed, "cannot use an HDF5 file",
               fmt::format("{}: {}{}: {}", file_name(object), path, name, why),
               "check that the file is complete and what it should be, or make it again"};
}

void silence() {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  H5PLset_loading_state(0);
}

hid_t checked(hid_t id) {
  if (id < 0) {
    throw Error{Error::Kind::kFailed, "HDF5 failed", innermost_error(), "check that there is enough memory"};
  }
  return id;
}
void check(herr_t status) { static_cast<void>(checked(status)); }

hid_t checked(hid_t id, hid_t parent, std::string_view name) {
  if (id < 0) throw failure(parent, name, innermost_error());
  return id;
}

void check(herr_t status, hid_t parent, std::string_view name) {
  if (status < 0) throw failure(parent, name, innermost_error());
}

PropertyList untimed(hid_t kind) {
  PropertyList properties{checked(H5Pcreate(kind))};
  check(H5Pset_obj_track_times(properties.id(), false));
  return properties;
}

std::uint64_t file_size(hid_t object, std::string_view name) {
  const File file{checked(H5Iget_file_id(object), object, name)};
  hsize_t size = 0;
  check(H5Fget_filesize(file.id(), &size), object, name);
  return size;
}

}  // namespace headstart::hdf5
