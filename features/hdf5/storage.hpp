// features/hdf5/storage.hpp: opens datasets that lie in the file itself and are stored in a way that is safe
// to read.
#pragma once

#include <string>
#include <string_view>

#include "features/hdf5/handle.hpp"

namespace headstart::hdf5 {

[[nodiscard]] Dataset open_dataset(hid_t parent, const std::string& name);

/// Refuses values that lie in other files (external storage, virtual datasets). Refuses a dataset that claims
/// more values than the bytes of the file may hold. Refuses an absurdly large chunk, because reading
/// allocates a whole chunk. Refuses filters that nobody needs.
void check_storage(const Dataset& dataset, const Type& type, hid_t parent, std::string_view name);

}  // namespace headstart::hdf5
