// features/hdf5/object.hpp: the objects of a file that are reached by hard links only.
#pragma once

#include <string>

#include "features/hdf5/handle.hpp"

namespace headstart::hdf5 {

[[nodiscard]] bool exists(hid_t parent, const std::string& name);
/// @throws Error unless `name` exists
void require(hid_t parent, const std::string& name);
/// Whether `name`, which exists, is a group rather than a dataset.
[[nodiscard]] bool is_group(hid_t parent, const std::string& name);
[[nodiscard]] Group open_group(hid_t parent, const std::string& name);
[[nodiscard]] Group create_group(hid_t parent, const std::string& name);

}  // namespace headstart::hdf5
