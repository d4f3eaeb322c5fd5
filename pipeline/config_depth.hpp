// pipeline/config_depth.hpp: how deep a key of a configuration is, before toml++ recurses once for each part
// of it. Lists and tables within each other are bounded by toml++ itself.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace headstart {

/// Parts of a key or of a section's name, with dots between.
inline constexpr std::size_t kMostKeyParts = 16;

/// The line, from 1, of the first key in a TOML text that has more parts; nothing where none has.
[[nodiscard]] std::optional<std::size_t> line_of_too_deep_key(std::string_view toml);

}  // namespace headstart
