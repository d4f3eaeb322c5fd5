// pipeline/options/config_depth.hpp: limits the parts of a key in a configuration, because toml++ recurses
// once for each part. toml++ itself limits lists and tables inside each other.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace headstart {

/// The most parts of a key or of a section's name; dots separate the parts.
inline constexpr std::size_t kMostKeyParts = 16;

/// The line, from 1, of the first key in a TOML text that has more parts; empty if there is none.
[[nodiscard]] std::optional<std::size_t> line_of_too_deep_key(std::string_view toml);

}  // namespace headstart
