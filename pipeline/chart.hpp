// pipeline/chart.hpp: a line chart as inline SVG.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace headstart {

/// One line of a chart; a value that is missing or not finite breaks the line.
struct ChartLine {
  std::string name;
  std::string css_class;                      ///< the page's style sheet gives the colour
  std::vector<std::optional<double>> values;  ///< at x = 0, 1, 2, ...
};

/// An <svg> element with axes, round ticks, a legend, and a title for screen readers.
/// @param from_zero  whether the y axis starts at zero
[[nodiscard]] std::string line_chart(const std::string& title, const std::string& x_label,
                                     const std::vector<ChartLine>& lines, bool from_zero);

/// A step of 1, 2 or 5 times a power of ten that divides `span` into at most `most` parts. @param span
/// positive
[[nodiscard]] double round_step(double span, int most);

}  // namespace headstart
