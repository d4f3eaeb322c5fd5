// data/image/cie_lab.cpp: the formulas of CIE 15 and IEC 61966-2-1; D50 becomes sRGB's D65 by Bradford's
// method.
#include "data/image/cie_lab.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace headstart {
namespace {

constexpr std::array<double, 3> kD50{0.96422, 1.0, 0.82521};

/// From XYZ relative to D50 to linear sRGB.
constexpr double kToLinear[3][3] = {{3.1338561, -1.6168667, -0.4906146},
                                    {-0.9787684, 1.9161415, 0.0334540},
                                    {0.0719453, -0.2289914, 1.4052427}};

/// The inverse of CIE's cube root with a straight start.
double cube(double value) {
  return value > 6.0 / 29.0 ? value * value * value : (value - 4.0 / 29.0) * 3.0 * 36.0 / 841.0;
}

std::uint8_t companded(double linear) {
  const double value = std::clamp(linear, 0.0, 1.0);
  const double curved = value <= 0.0031308 ? 12.92 * value : 1.055 * std::pow(value, 1.0 / 2.4) - 0.055;
  return static_cast<std::uint8_t>(std::lround(curved * 255.0));
}

}  // namespace

std::array<std::uint8_t, 3> srgb_of_lab(double lightness, double a, double b) {
  const double y = (lightness + 16.0) / 116.0;
  const std::array<double, 3> xyz{kD50[0] * cube(y + a / 500.0), kD50[1] * cube(y),
                                  kD50[2] * cube(y - b / 200.0)};
  std::array<std::uint8_t, 3> rgb{};
  for (std::size_t i = 0; i < 3; ++i)
    rgb[i] = companded(kToLinear[i][0] * xyz[0] + kToLinear[i][1] * xyz[1] + kToLinear[i][2] * xyz[2]);
  return rgb;
}

}  // namespace headstart
