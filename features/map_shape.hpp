// features/map_shape.hpp
#pragma once

#include <cstddef>

namespace headstart {

/// Shape of one image's activations, which are stored as (row, column, channel).
struct MapShape {
  int height = 0;
  int width = 0;
  int channels = 0;

  /// How many activations one image has.
  [[nodiscard]] constexpr std::size_t size() const noexcept {
    return static_cast<std::size_t>(height) * static_cast<std::size_t>(width) *
           static_cast<std::size_t>(channels);
  }
  bool operator==(const MapShape&) const = default;
};

}  // namespace headstart
