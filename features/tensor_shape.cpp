// features/tensor_shape.cpp
#include "features/tensor_shape.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstddef>
#include <stdexcept>

namespace headstart {

std::string shape_text(const TensorShape& shape) {
  if (shape.empty()) return "a scalar";
  constexpr std::size_t kShown = 6;  // a damaged file may claim any number of dimensions
  if (shape.size() <= kShown) return fmt::format("{}", fmt::join(shape, "x"));
  return fmt::format("{}x... ({} dimensions)", fmt::join(shape.begin(), shape.begin() + kShown, "x"),
                     shape.size());
}

std::uint64_t element_count(const TensorShape& shape) {
  std::uint64_t count = 1;
  for (const std::uint64_t extent : shape) {
    if (__builtin_mul_overflow(count, extent, &count))
      throw std::invalid_argument(fmt::format("a tensor of {}", shape_text(shape)));
  }
  return count;
}

}  // namespace headstart
