// memory/enum_names.hpp: the values of an enum and their names, from one function beside the enum:
//   constexpr std::string_view to_string(Pooling pooling) noexcept {
//     switch (pooling) {
//       case Pooling::kFlatten: return "flatten";
//       ...
//     }
//     return {};
//   }
// The switch has no default, so a value without a name does not compile (-Werror=switch, HeadstartTargets).
// Values count from 0 without gaps. parse_name() and the lists of --help are made from that function.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace headstart {

/// An enum with such a function.
template <typename E>
concept NamedEnum = std::is_enum_v<E> && requires(E value) {
  { to_string(value) } -> std::same_as<std::string_view>;
};

/// The number of values that have names.
template <NamedEnum E>
[[nodiscard]] constexpr std::size_t count_names() noexcept {
  std::size_t count = 0;
  while (to_string(static_cast<E>(count)).data() != nullptr) ++count;
  return count;
}

/// All values, in the order of the enum.
template <NamedEnum E>
[[nodiscard]] constexpr auto named_values() noexcept {
  std::array<E, count_names<E>()> values{};
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<E>(i);
  return values;
}

/// The value of that name; empty if there is none.
template <NamedEnum E>
[[nodiscard]] constexpr std::optional<E> parse_name(std::string_view name) noexcept {
  for (const E value : named_values<E>()) {
    if (to_string(value) == name) return value;
  }
  return std::nullopt;
}

/// The names as --help shows them: "auto|gram|primal".
template <NamedEnum E>
[[nodiscard]] std::string joined_names() {
  std::string names;
  for (const E value : named_values<E>()) names.append(names.empty() ? "" : "|").append(to_string(value));
  return names;
}

}  // namespace headstart
