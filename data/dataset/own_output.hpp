// data/dataset/own_output.hpp: recognises folders that headstart wrote. None is taken for a class, and none
// that holds other files is replaced.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace headstart {

/// All files that a run may put into its output folder.
inline constexpr std::array<std::string_view, 9> kOutputFiles{
    "model.h5",           "metrics.json", "history.csv", "predictions.csv", "images.csv",
    "class_indices.json", "config.toml",  "report.html", "sweep.csv"};

/// The files that every output folder has.
inline constexpr std::array<std::string_view, 2> kOutputMarks{"metrics.json", "config.toml"};

[[nodiscard]] inline bool is_output_file(std::string_view name) {
  return std::find(kOutputFiles.begin(), kOutputFiles.end(), name) != kOutputFiles.end();
}

/// The file in each folder of a cache that is named by a fingerprint.
inline constexpr std::string_view kCacheMark = "extractor.json";
/// The file beside these folders.
inline constexpr std::string_view kCacheStat = "stat";

/// Whether a folder's name is the fingerprint of an extractor: 16 hexadecimal digits.
[[nodiscard]] inline bool is_fingerprint(std::string_view name) {
  return name.size() == 16 && name.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace headstart
