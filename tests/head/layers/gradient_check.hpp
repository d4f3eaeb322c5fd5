// tests/head/layers/gradient_check.hpp: an analytic gradient against central differences of the loss, in
// double.
//
// dL/dx_i ~ (L(x + h e_i) - L(x - h e_i)) / 2h with h = cbrt(eps) max(1, |x_i|), where truncation (h^2) and
// rounding (eps / h) are in balance at about 4e-11. Keep inputs away from kinks: a ReLU that flips within h
// shows as an error.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <limits>
#include <ostream>
#include <span>
#include <vector>

namespace headstart::test {

struct GradientCheck {
  double worst_error = std::numeric_limits<double>::infinity();  ///< |analytic - numeric| / max(1, |numeric|)
  std::size_t worst_index = 0;
  double analytic = 0.0;  ///< at worst_index
  double numeric = 0.0;
  double largest = 0.0;  ///< max |numeric|: a gradient of zeros proves nothing
};

inline std::ostream& operator<<(std::ostream& out, const GradientCheck& check) {
  return out << "index " << check.worst_index << ": analytic " << check.analytic << ", numeric "
             << check.numeric << ", error " << check.worst_error;
}

/// @param loss      of a point
/// @param point     where to differentiate; its size may not be zero
/// @param gradient  what is claimed, [point.size()]; another size is an infinite error
/// @param step      h = step * max(1, |x_i|)
inline GradientCheck check_gradient(const std::function<double(std::span<const double>)>& loss,
                                    std::vector<double> point, std::span<const double> gradient,
                                    double step = std::cbrt(std::numeric_limits<double>::epsilon())) {
  GradientCheck result;
  if (point.empty() || gradient.size() != point.size()) return result;
  result.worst_error = -1.0;
  for (std::size_t i = 0; i < point.size(); ++i) {
    const double x = point[i];
    const double h = step * std::max(1.0, std::abs(x));
    point[i] = x + h;
    const double above = loss(point);
    const double right = point[i];
    point[i] = x - h;
    const double below = loss(point);
    const double numeric = (above - below) / (right - point[i]);
    point[i] = x;
    const double error = std::abs(gradient[i] - numeric) / std::max(1.0, std::abs(numeric));
    result.largest = std::max(result.largest, std::abs(numeric));
    if (error > result.worst_error || std::isnan(error)) {
      result.worst_error = std::isnan(error) ? std::numeric_limits<double>::infinity() : error;
      result.worst_index = i;
      result.analytic = gradient[i];
      result.numeric = numeric;
    }
  }
  return result;
}

}  // namespace headstart::test
