// data/image/cie_lab.hpp: CIE L*a*b* to sRGB, whose white differs.
#pragma once

#include <array>
#include <cstdint>

namespace headstart {

/// 8-bit sRGB of a colour that is relative to the white D50, as in TIFF and ICC. Each channel is clipped to
/// what sRGB can show.
/// @param lightness  0 to 100
[[nodiscard]] std::array<std::uint8_t, 3> srgb_of_lab(double lightness, double a, double b);

}  // namespace headstart
