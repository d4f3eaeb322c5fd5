// features/hdf5/object.cpp
#include "features/hdf5/object.hpp"

#include "features/hdf5/calls.hpp"

namespace headstart::hdf5 {
namespace {

/// Whether every step of `name` exists. @throws Error if one is a soft or external link
bool exists_by_hard_links(hid_t parent, const std::string& name) {
  std::size_t end = 0;
  while (end != std::string::npos) {
    end = name.find('/', end + 1);
    const std::string prefix = name.substr(0, end);
    const htri_t found = H5Lexists(parent, prefix.c_str(), H5P_DEFAULT);
    check(found, parent, prefix);
    if (found == 0) return false;
    H5L_info_t info;
    check(H5Lget_info(parent, prefix.c_str(), &info, H5P_DEFAULT), parent, prefix);
    if (info.type != H5L_TYPE_HARD)
      throw failure(parent, prefix, "is a soft or external link, which is not followed");
  }
  return true;
}

}  // namespace

bool exists(hid_t parent, const std::string& name) {
  silence();
  return exists_by_hard_links(parent, name);
}

void require(hid_t parent, const std::string& name) {
  if (!exists_by_hard_links(parent, name)) throw failure(parent, name, "is missing");
}

bool is_group(hid_t parent, const std::string& name) {
  silence();
  require(parent, name);
  const Handle<H5Oclose> object{checked(H5Oopen(parent, name.c_str(), H5P_DEFAULT), parent, name)};
  return H5Iget_type(object.id()) == H5I_GROUP;
}

Group open_group(hid_t parent, const std::string& name) {
  silence();
  require(parent, name);
  return Group{checked(H5Gopen2(parent, name.c_str(), H5P_DEFAULT), parent, name)};
}

Group create_group(hid_t parent, const std::string& name) {
  silence();
  const PropertyList properties = untimed(H5P_GROUP_CREATE);
  return Group{
      checked(H5Gcreate2(parent, name.c_str(), H5P_DEFAULT, properties.id(), H5P_DEFAULT), parent, name)};
}

}  // namespace headstart::hdf5
