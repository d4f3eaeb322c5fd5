// data/list_columns.hpp: which column of a list of images is what: pandas, fastai, AutoGluon, Hugging Face
// and Kaggle each have their own names. docs/lists.md has the table.
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
  std::vector<std::string> unused;  ///< names of the others, but for the index that pandas writes
};

/// What separates the columns of `header`, the first line of a list: the one of comma, semicolon and tab by
/// which it names a path and a label; if none does, the most frequent.
[[nodiscard]] char separator_of(std::string_view header);

/// The columns by their names: letters count without case, blanks, '_' and '-' not at all.
/// @throws Error kFailed if path or label is missing, or two columns may be the same
/// @param where  the file and the header's line, for the error
[[nodiscard]] ListColumns find_columns(const std::vector<std::string>& header, std::string_view where);

}  // namespace headstart
