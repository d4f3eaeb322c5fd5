// data/name_list.hpp: a list of names as tools write it: one a line, or with a zero byte behind each (find
// -print0), which is the only way to list every name that a file can have.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace headstart {

/// One name of a list.
struct ListedName {
  std::string name;
  std::size_t line = 0;  ///< 1-based; of a list with zero bytes, its number

  bool operator==(const ListedName&) const = default;
};

/// The names in `text`, empty ones left out. A byte order mark is skipped, UTF-16 that has one is read; lines
/// end with LF or CRLF.
/// @throws Error kFailed if the text is not well-formed in the encoding that its mark names, or is UTF-16
/// without a mark
/// @param where  the list, for the error
[[nodiscard]] std::vector<ListedName> names_in_list(std::string_view text, std::string_view where);

}  // namespace headstart
