// features/hdf5/shape.hpp: shapes of datasets and attributes, and how many elements they have.
#pragma once

#include <cstdint>
#include <span>

#include "features/hdf5/handle.hpp"

namespace headstart::hdf5 {

[[nodiscard]] Extents extents_of(const Space& space);

/// Product of the extents; the largest number if it overflows.
[[nodiscard]] std::uint64_t elements(std::span<const std::uint64_t> extents);
/// How many elements a space has; 0 for a null space.
[[nodiscard]] std::uint64_t elements(const Space& space);

[[nodiscard]] Space make_space(const Extents& extents);

}  // namespace headstart::hdf5
