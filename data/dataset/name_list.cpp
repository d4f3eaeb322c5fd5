// data/dataset/name_list.cpp: see name_list.hpp.
#include "data/dataset/name_list.hpp"

#include <algorithm>
#include <optional>

#include "data/error.hpp"
#include "data/text_encoding.hpp"

namespace headstart {

std::vector<ListedName> names_in_list(std::string_view text, std::string_view where) {
  const std::optional<std::string> plain = without_byte_order_mark(text);
  if (!plain) {
    throw Error(Error::Kind::kFailed, "cannot read the list: it is not in the encoding that its mark names",
                where, "write it as UTF-8");
  }
  const bool has_zeros = plain->find('\0') != std::string::npos;
  if (!likely_utf16(*plain).empty()) {
    throw Error(Error::Kind::kFailed, "cannot read the list: it has zero bytes as UTF-16 has", where,
                "write it as UTF-8, or with a byte order mark");
  }
  std::vector<ListedName> names;
  std::string_view rest = *plain;
  for (std::size_t line = 1; !rest.empty(); ++line) {
    std::string_view name = rest.substr(0, rest.find(has_zeros ? '\0' : '\n'));
    rest.remove_prefix(std::min(rest.size(), name.size() + 1));
    if (!has_zeros && name.ends_with('\r')) name.remove_suffix(1);
    if (!name.empty()) names.push_back({std::string(name), line});
  }
  return names;
}

}  // namespace headstart
