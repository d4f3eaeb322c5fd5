// features/json_integer.hpp: a whole number from JSON that anybody may have written. The library's own
// conversion takes 224.7 for 224, -1 for 4294967295, and 1e30 for anything.
#pragma once

#include <concepts>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

namespace headstart {

/// @throws std::invalid_argument if `value` is no whole number, or none that an Integer can hold
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

/// That member of `json`, or `otherwise` where older files have none.
template <std::integral Integer>
[[nodiscard]] Integer json_integer(const nlohmann::json& json, const char* name, Integer otherwise) {
  return json.contains(name) ? json_integer<Integer>(json.at(name)) : otherwise;
}

}  // namespace headstart
