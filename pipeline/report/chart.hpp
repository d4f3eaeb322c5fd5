// pipeline/report/chart.hpp: charts as inline SVG. The page's style sheet gives colours to their classes. For
// a screen reader each chart is an image with a title; its points show their values under the pointer.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "head/insight/metrics.hpp"

namespace headstart {

/// One line of a chart; a value that is missing or not finite breaks the line.
struct ChartLine {
  std::string name;
  std::string css_class;                      ///< "first", "second"
  std::vector<std::optional<double>> values;  ///< at x = 1, 2, 3, ...
};

/// Lines with axes, round ticks and a legend.
/// @param from_zero  whether the y axis starts at zero
[[nodiscard]] std::string line_chart(const std::string& title, const std::string& x_label,
                                     const std::vector<ChartLine>& lines, bool from_zero);

/// A reliability diagram. Each bin of confidence has a bar as high as the share of right predictions, and a
/// line from its top to the mean confidence. Below each bar is the bin's number of predictions. On the
/// diagonal, probabilities are honest (DeGroot and Fienberg 1983, doi 10.2307/2987588).
[[nodiscard]] std::string reliability_chart(const std::string& title,
                                            const std::vector<CalibrationBin>& bins);

/// A point above a category of a strip chart.
struct StripPoint {
  std::size_t category = 0;
  double value = 0.0;
  std::string css_class;  ///< "first", "second", "faint"
  std::string text;       ///< shown under the pointer
};

/// Values of categories that have no order: each category is a column of points.
[[nodiscard]] std::string strip_chart(const std::string& title, const std::vector<std::string>& categories,
                                      const std::vector<StripPoint>& points);

/// A step of 1, 2 or 5 times a power of ten that divides `span` into at most `most` parts.
/// @param span  positive
[[nodiscard]] double round_step(double span, int most);

}  // namespace headstart
