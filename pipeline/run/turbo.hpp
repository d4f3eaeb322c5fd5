// pipeline/run/turbo.hpp: the Turbo colour map, from dark blue over green to dark red (Mikhailov, Google,
// 2019).
#pragma once

#include <array>
#include <cstdint>

namespace headstart {

/// Red, green, blue of a level.
[[nodiscard]] std::array<std::uint8_t, 3> turbo(std::uint8_t level) noexcept;

}  // namespace headstart
