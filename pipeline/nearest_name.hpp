// pipeline/nearest_name.hpp: what a mistyped name was probably meant to be.
#pragma once

#include <string>
#include <vector>

namespace headstart {

/// The one of `names` with the fewest edits from `word` (Levenshtein), the first in a tie; empty if none is
/// near enough to be meant: within two edits, or a third of the word.
[[nodiscard]] std::string nearest_name(const std::string& word, const std::vector<std::string>& names);

}  // namespace headstart
