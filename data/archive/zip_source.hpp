// data/archive/zip_source.hpp: opens a .zip for libzip. libzip refuses the whole file if a name or comment is
// marked as UTF-8 and is none. This source clears such marks in the bytes that libzip sees, so that libzip
// takes the name's bytes unchanged.
#pragma once

#include "data/file_descriptor.hpp"

struct zip;

namespace headstart {

/// Opens `file`. The read position of `file` doesn't matter and does not change.
/// @return libzip's handle, to be freed with zip_discard(); null if no mark is wrong, or `file` is no .zip
[[nodiscard]] zip* open_without_wrong_marks(const FileDescriptor& file);

}  // namespace headstart
