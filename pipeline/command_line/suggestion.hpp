// pipeline/command_line/suggestion.hpp: what a person may have meant by an unknown word: a mistyped name, or
// a name of Keras, scikit-learn or another library.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace headstart {

/// The one of `names` with the fewest edits from `word` (Levenshtein), in a tie the first. Empty if none is
/// near enough: within two edits, or within a third of the word's length.
[[nodiscard]] std::string nearest_name(const std::string& word, const std::vector<std::string>& names);

/// The end of an error about the unknown `word`: "did you mean --learning-rate?", or what there is instead of
/// it; empty if nothing comes near.
/// @param word   with its hyphens, if it has some: "--lr"
/// @param names  of what there is, written as `word` is: "--epochs"
[[nodiscard]] std::string suggestion(const std::string& word, const std::vector<std::string>& names);

}  // namespace headstart
