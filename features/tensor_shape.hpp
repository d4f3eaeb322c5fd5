// features/tensor_shape.hpp: the shape of a tensor in a file, which may be damaged.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace headstart {

using TensorShape = std::vector<std::uint64_t>;

/// "64x3x3x3"; "a scalar" for no dimension.
[[nodiscard]] std::string shape_text(const TensorShape& shape);

/// The number of a tensor's values. @throws std::invalid_argument if it has more than 64 bits
[[nodiscard]] std::uint64_t element_count(const TensorShape& shape);

}  // namespace headstart
