// pipeline/text_table.hpp: a table for a terminal: columns padded to their widest cell, counted in code
// points.
#pragma once

#include <string>
#include <vector>

namespace headstart {

/// Lines of `rows` with two spaces between columns: the first column to the left, the others to the right.
[[nodiscard]] std::string text_table(const std::vector<std::vector<std::string>>& rows);

}  // namespace headstart
