// data/dataset/class_names.hpp: the names of classes. They are UTF-8, because every file that names classes
// is UTF-8.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "data/dataset/manifest.hpp"

namespace headstart {

/// `name` as UTF-8. A name stays as it is if it is UTF-8 and not encoded in `encoding`.
/// @param encoding  of the list, folder or archive that `name` is from; empty: UTF-8. A single name can't
/// decide: bytes of GBK may be UTF-8 by chance
/// @param where     for the error
/// @throws Error kFailed that names the class and the encodings that its bytes may be in
[[nodiscard]] std::string class_name_of(std::string_view name, const std::string& encoding,
                                        std::string_view where);

/// Whether `name` has no visible character.
[[nodiscard]] bool is_blank(const std::string& name);

/// Converts every class name to UTF-8. Sorts the classes again if a name changes.
/// @param encoding  of all names, except those that are marked as UTF-8, if one of them is_encoded(); empty:
/// none
/// @throws Error kFailed as class_name_of(), and if two classes become one
void decode_classes(Manifest& manifest, const std::string& encoding, std::string_view where);

/// One line for each two classes that differ only by case, blanks or composed letters. One line if classes
/// look like several labels in one: "cat dog" beside "cat" and "dog".
[[nodiscard]] std::vector<std::string> doubts_about_classes(const std::vector<std::string>& classes);

}  // namespace headstart
