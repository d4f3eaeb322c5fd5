// features/graph/known_value.cpp
#include "features/graph/known_value.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <stdexcept>

namespace headstart {

std::string to_string(const Extents& shape) {
  return shape.empty() ? "a scalar" : fmt::format("{}", fmt::join(shape, "x"));
}

std::int64_t elements_of(const Extents& shape) {
  std::int64_t count = 1;
  for (const std::int64_t extent : shape) {
    if (extent < 0 || extent > kMostElements)
      throw std::invalid_argument(fmt::format("an extent of {}", extent));
    count *= extent;
    if (count > kMostElements)
      throw std::invalid_argument(
          fmt::format("a value of {}, above {} elements", to_string(shape), kMostElements));
  }
  return count;
}

Extents broadcast(const Extents& a, const Extents& b) {
  Extents result(std::max(a.size(), b.size()), 1);
  for (std::size_t i = 0; i < result.size(); ++i) {  // from the last axis
    const std::int64_t of_a = i < a.size() ? a[a.size() - 1 - i] : 1;
    const std::int64_t of_b = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (of_a != of_b && of_a != 1 && of_b != 1)
      throw std::invalid_argument(fmt::format("{} and {} don't fit together", to_string(a), to_string(b)));
    result[result.size() - 1 - i] = of_a == 1 ? of_b : of_a;
  }
  return result;
}

}  // namespace headstart
