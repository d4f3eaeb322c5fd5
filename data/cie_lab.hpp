// data/cie_lab.hpp: CIE L*a*b* to sRGB, which has another white.
#pragma once

#include <array>
#include <cstdint>

namespace headstart {

/// 8-bit sRGB of a colour that is relative to the white D50, as TIFF and ICC have it; what sRGB can't show is
/// cut off at each channel.
/// @param lightness  0 to 100
[[nodiscard]] std::array<std::uint8_t, 3> srgb_of_lab(double lightness, double a, double b);

}  // namespace headstart
