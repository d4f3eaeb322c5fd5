// pipeline/command_line/nearest_name.hpp: guesses the meant name from a mistyped one.
#pragma once

#include <string>
#include <vector>

namespace headstart {

/// The one of `names` with the fewest edits from `word` (Levenshtein), in a tie the first. Empty if none is
/// near enough: within two edits, or within a third of the word's length.
[[nodiscard]] std::string nearest_name(const std::string& word, const std::vector<std::string>& names);

}  // namespace headstart
