// pipeline/rows/pooled_memory.hpp: where pooled rows are while a head trains on them: in memory if they fit,
// else in a file beside OUT that the system maps into memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include "memory/dense_rows.hpp"

namespace headstart {

/// What rows may take: 40 % of the memory limit. Solvers and the rest of the process take the other part.
[[nodiscard]] std::int64_t bytes_for_rows();

/// Whether pooled rows of this many bytes are in a file.
[[nodiscard]] bool pooled_rows_in_file(std::int64_t bytes);

/// @param folder  for the file; it may be yet to be made
/// @throws Error kData if the rows will be in a file and the folder's disk has no room for them
void check_room_for_pooled_rows(std::int64_t bytes, const std::filesystem::path& folder);

/// Pooled rows, not yet written.
/// @param folder  for the file; empty: the rows are in memory
/// @throws Error kData if the file can't be made; std::bad_alloc
[[nodiscard]] DenseRows make_pooled_rows(std::size_t rows, std::int64_t columns,
                                         const std::filesystem::path& folder);

/// The part of a plan's line on rows in a file, ", 4.1 GB of rows in a file beside OUT"; empty for no bytes.
[[nodiscard]] std::string text_of_file(std::int64_t bytes);

}  // namespace headstart
