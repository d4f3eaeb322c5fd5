// pipeline/options/quantities.hpp: numbers with units, as people type them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace headstart {

/// Seconds of "45s", "90m", "12h", "30d" or "2w". Empty for any other text: a bare number could have any
/// unit.
[[nodiscard]] std::optional<std::int64_t> parse_duration(std::string_view text);

/// Bytes of "1500", "500MB", "20GB", "1.5TB": decimal units, as format_bytes() writes them, or K, M, G alone.
/// Empty for any other text.
[[nodiscard]] std::optional<std::uint64_t> parse_bytes(std::string_view text);

}  // namespace headstart
