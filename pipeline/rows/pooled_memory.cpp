// pipeline/rows/pooled_memory.cpp
#include "pipeline/rows/pooled_memory.hpp"

#include <fmt/format.h>

#include <string>
#include <system_error>

#include "data/error.hpp"
#include "data/utf8.hpp"
#include "head/layers/solver.hpp"
#include "pipeline/process/console.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;

Error no_room(std::int64_t bytes, const fs::path& folder, const std::string& why) {
  return Error{Error::Kind::kData, "no room for pooled rows",
               fmt::format("{}: they take {}, more than 40 % of memory, and {}", printable(folder.string()),
                           format_bytes(static_cast<std::uint64_t>(bytes)), why),
               "name an -o on a larger disk, or use a part of the images"};
}

fs::path existing(fs::path folder) {
  std::error_code error;
  folder = fs::absolute(folder, error);
  while (!fs::exists(folder, error) && folder.has_relative_path()) folder = folder.parent_path();
  return folder;
}

}  // namespace

std::int64_t bytes_for_rows() { return available_memory() / 5 * 2; }

bool pooled_rows_in_file(std::int64_t bytes) { return bytes > bytes_for_rows(); }

void check_room_for_pooled_rows(std::int64_t bytes, const fs::path& folder) {
  if (!pooled_rows_in_file(bytes)) return;
  std::error_code error;
  const fs::space_info space = fs::space(existing(folder), error);
  if (!error && space.available < static_cast<std::uintmax_t>(bytes))
    throw no_room(bytes, folder, fmt::format("{} of disk are free", format_bytes(space.available)));
}

DenseRows make_pooled_rows(std::size_t rows, std::int64_t columns, const fs::path& folder) {
  if (folder.empty()) return {rows, columns};
  try {
    return {rows, columns, folder};
  } catch (const std::system_error& error) {
    throw no_room(4 * static_cast<std::int64_t>(rows) * columns, folder, error.code().message());
  }
}

std::string text_of_file(std::int64_t bytes) {
  if (bytes == 0) return "";
  return fmt::format(", {} of rows in a file beside OUT", format_bytes(static_cast<std::uint64_t>(bytes)));
}

}  // namespace headstart
