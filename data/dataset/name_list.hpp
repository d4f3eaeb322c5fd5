// data/dataset/name_list.hpp: reads a list of names that a tool wrote: one name a line, or with a zero byte
// behind each name (find -print0). Only zero bytes can separate every name that a file may have.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace headstart {

/// One name of a list.
struct ListedName {
  std::string name;
  std::size_t line = 0;  ///< 1-based; in a list with zero bytes, the number of the name

  bool operator==(const ListedName&) const = default;
};

/// The names in `text`, without empty ones. A byte order mark is skipped, UTF-16 with a mark is read, and
/// lines may end with LF or CRLF.
/// @throws Error kFailed if the text is not well-formed in the encoding of its mark, or is UTF-16 without a
/// mark
/// @param where  the list, for the error
[[nodiscard]] std::vector<ListedName> names_in_list(std::string_view text, std::string_view where);

}  // namespace headstart
