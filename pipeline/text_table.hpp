// pipeline/text_table.hpp: a table for a terminal: columns padded to their widest cell, counted in code
// points.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace headstart {

/// Lines of `rows` with two spaces between columns: the first `left` columns to the left, the others to the
/// right.
[[nodiscard]] std::string text_table(const std::vector<std::vector<std::string>>& rows, std::size_t left = 1);

}  // namespace headstart
