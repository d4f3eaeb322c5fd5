// pipeline/report/chart.hpp: charts as inline SVG; the page's style sheet gives colours to their classes.
// Each is an image with a title to a screen reader, and its points say their values under a pointer.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "head/metrics.hpp"

namespace headstart {

/// One line of a chart; a value that is missing or not finite breaks the line.
struct ChartLine {
  std::string name;
  std::string css_class;                      ///< "first", "second"
  std::vector<std::optional<double>> values;  ///< at x = 0, 1, 2, ...
};

/// Lines with axes, round ticks and a legend.
/// @param from_zero  whether the y axis starts at zero
[[nodiscard]] std::string line_chart(const std::string& title, const std::string& x_label,
                                     const std::vector<ChartLine>& lines, bool from_zero);

/// A reliability diagram: for each bin of confidence a bar as high as the share that is right, a line from it
/// to the mean confidence, and below how many predictions the bin has. On the diagonal probabilities mean
/// what they say (DeGroot and Fienberg 1983, doi 10.2307/2987588).
[[nodiscard]] std::string reliability_chart(const std::string& title,
                                            const std::vector<CalibrationBin>& bins);

/// A point over one of a strip chart's categories.
struct StripPoint {
  std::size_t category = 0;
  double value = 0.0;
  std::string css_class;  ///< "first", "second", "faint"
  std::string text;       ///< under a pointer
};

/// Values over categories that have no order: each category is a column of points.
[[nodiscard]] std::string strip_chart(const std::string& title, const std::vector<std::string>& categories,
                                      const std::vector<StripPoint>& points);

/// A step of 1, 2 or 5 times a power of ten that divides `span` into at most `most` parts. @param span
/// positive
[[nodiscard]] double round_step(double span, int most);

}  // namespace headstart
