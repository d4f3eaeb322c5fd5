// features/graph/known_value.hpp: what is known about a value of a graph before anything runs: its shape, and
// the numbers of small integer values, from which exporters compute shapes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace headstart {

using Extents = std::vector<std::int64_t>;  ///< of a value: none for a scalar; each is 0 or more

/// Values with more integers than this are known by their shape alone.
inline constexpr std::size_t kMostKnownNumbers = 4096;
/// No value of a graph may have more elements: 16 GB of float32.
inline constexpr std::int64_t kMostElements = std::int64_t{1} << 32;

struct KnownValue {
  Extents shape;
  std::optional<std::vector<std::int64_t>> numbers{};  ///< row-major
};

/// By name. A value that is not there is not known: an operator before it has no rule.
using KnownValues = std::unordered_map<std::string_view, KnownValue>;

/// "2x3x224x224"; "a scalar" for no extent.
[[nodiscard]] std::string to_string(const Extents& shape);

/// The number of elements. @throws std::invalid_argument for a negative extent, or more than kMostElements
[[nodiscard]] std::int64_t elements_of(const Extents& shape);

/// The shape of an elementwise operation on both, by NumPy's rule of broadcasting.
/// @throws std::invalid_argument if they don't fit
[[nodiscard]] Extents broadcast(const Extents& a, const Extents& b);

}  // namespace headstart
