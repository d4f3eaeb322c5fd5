// features/json_integer.hpp: reads a whole number from untrusted JSON. The library's own conversion accepts
// 224.7 as 224, -1 as 4294967295, and 1e30 as any number.
#pragma once

#include <concepts>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

namespace headstart {

/// @throws std::invalid_argument if `value` is no whole number, or does not fit into an Integer
template <std::integral Integer>
[[nodiscard]] Integer json_integer(const nlohmann::json& value) {
  if (value.is_number_unsigned()) {
    const auto number = value.get<std::uint64_t>();
    if (std::in_range<Integer>(number)) return static_cast<Integer>(number);
  } else if (value.is_number_integer()) {
    const auto number = value.get<std::int64_t>();
    if (std::in_range<Integer>(number)) return static_cast<Integer>(number);
  }
  throw std::invalid_argument(value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) +
                              " is no whole number within bounds");
}

/// The member `name` of `json`, or `otherwise` if an older file has no such member.
template <std::integral Integer>
[[nodiscard]] Integer json_integer(const nlohmann::json& json, const char* name, Integer otherwise) {
  return json.contains(name) ? json_integer<Integer>(json.at(name)) : otherwise;
}

}  // namespace headstart
