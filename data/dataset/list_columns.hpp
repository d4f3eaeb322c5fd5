// data/dataset/list_columns.hpp: decides the meaning of each column of a list of images. pandas, fastai,
// AutoGluon, Hugging Face and Kaggle use different names. docs/lists.md has the table.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace headstart {

/// Indices of a header's columns.
struct ListColumns {
  std::size_t path = 0;
  std::size_t label = 0;
  std::optional<std::size_t> split;          ///< words: "train", "valid"
  std::optional<std::size_t> is_validation;  ///< true or false
  std::optional<std::size_t> is_test;
  std::optional<std::size_t> group;
  std::vector<std::string> unused;  ///< names of the other columns, except the index that pandas writes
};

/// The separator of `header`, the first line of a list: comma, semicolon or tab. Takes the separator with
/// which the header names a path and a label; if none does, the most frequent one.
[[nodiscard]] char separator_of(std::string_view header);

/// Finds the columns by their names. Case, blanks, '_' and '-' don't matter.
/// @throws Error kFailed if path or label is missing, or two columns may be the same
/// @param where  the file and the header's line, for the error
[[nodiscard]] ListColumns find_columns(const std::vector<std::string>& header, std::string_view where);

}  // namespace headstart
