// pipeline/process/text_table.hpp: a table for a terminal. Columns are as wide as their widest cell, counted
// in code points.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace headstart {

/// The lines of a table from `rows`, with two spaces between columns. The first `left` columns are aligned
/// left, the others right.
[[nodiscard]] std::string text_table(const std::vector<std::vector<std::string>>& rows, std::size_t left = 1);

}  // namespace headstart
