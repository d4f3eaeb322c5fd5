// features/hdf5/storage.hpp: opens datasets that are in the file itself, stored in ways that are safe to
// read.
#pragma once

#include <string>
#include <string_view>

#include "features/hdf5/handle.hpp"

namespace headstart::hdf5 {

[[nodiscard]] Dataset open_dataset(hid_t parent, const std::string& name);

/// Refuses values that lie in other files (external storage, virtual datasets) or that the file can't have:
/// it claims more than its bytes may hold. Also a chunk that is absurdly large, as it is allocated whole when
/// it is read, and filters that nobody needs.
void check_storage(const Dataset& dataset, const Type& type, hid_t parent, std::string_view name);

}  // namespace headstart::hdf5
