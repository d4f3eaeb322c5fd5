// data/dataset/counted.hpp: a number with its noun, for messages.
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace headstart {

/// "1 class", "2 classes".
[[nodiscard]] inline std::string counted(std::size_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

}  // namespace headstart
