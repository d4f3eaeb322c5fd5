// data/zip_source.hpp: a .zip for libzip, which refuses all of one if a name or comment that is marked as
// UTF-8 is none. Such marks are cleared in the bytes that libzip sees, so that the name is its bytes.
#pragma once

#include "data/file_descriptor.hpp"

struct zip;

namespace headstart {

/// Opens `file`, whose position doesn't matter and stays.
/// @return what libzip gives, which zip_discard() frees; null where no mark is wrong, or `file` is no .zip
[[nodiscard]] zip* open_without_wrong_marks(const FileDescriptor& file);

}  // namespace headstart
