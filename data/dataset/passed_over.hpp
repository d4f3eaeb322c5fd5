// data/dataset/passed_over.hpp: what a dataset holds besides images, for the user.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "data/dataset/dataset_tree.hpp"

namespace headstart {

/// What is skipped in every folder: side files, files that operating systems leave, headstart's own output;
/// one line each.
[[nodiscard]] std::vector<std::string> passed_over(const DatasetTree& tree);

/// "12 .json, 3 .txt, 1 without suffix": the most frequent suffixes first.
[[nodiscard]] std::string count_by_suffix(std::span<const std::string> names);

}  // namespace headstart
