// data/class_names.hpp: what classes are called: UTF-8, as every file that names them holds nothing else.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "data/manifest.hpp"

namespace headstart {

/// `name` as UTF-8. One that is UTF-8 and nothing in `encoding` stays as it is.
/// @param encoding  of the list, folder or archive that `name` is from; empty: UTF-8. A name alone doesn't
/// tell: bytes of GBK may be UTF-8 by chance
/// @param where  for the error
/// @throws Error kFailed that names the class and what its bytes look like
[[nodiscard]] std::string class_name_of(std::string_view name, const std::string& encoding,
                                        std::string_view where);

/// Whether nothing of `name` can be seen.
[[nodiscard]] bool is_blank(const std::string& name);

/// Every class name into UTF-8. Where one changes, classes are sorted anew.
/// @param encoding  of all names, but those that are marked as UTF-8, if one of them is_encoded(); empty:
/// none
/// @throws Error kFailed as class_name_of(), and if two classes become one
void decode_classes(Manifest& manifest, const std::string& encoding, std::string_view where);

/// One line for each two classes that differ by case, blanks or composed letters alone, and one if classes
/// look like several labels in one: "cat dog" beside "cat" and "dog".
[[nodiscard]] std::vector<std::string> doubts_about_classes(const std::vector<std::string>& classes);

}  // namespace headstart
