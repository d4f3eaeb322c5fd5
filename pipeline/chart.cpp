// pipeline/chart.cpp
#include "pipeline/chart.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "pipeline/report.hpp"

namespace headstart {
namespace {

constexpr double kWidth = 520;
constexpr double kHeight = 280;
constexpr double kLeft = 56;
constexpr double kRight = 16;
constexpr double kTop = 34;
constexpr double kBottom = 42;

struct Range {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
};

bool drawable(const std::optional<double>& value) { return value && std::isfinite(*value); }

Range range_of(const std::vector<ChartLine>& lines, bool from_zero) {
  Range range;
  for (const ChartLine& line : lines) {
    for (const auto& value : line.values) {
      if (!drawable(value)) continue;
      range.low = std::min(range.low, *value);
      range.high = std::max(range.high, *value);
    }
  }
  if (!(range.low <= range.high)) return {0.0, 1.0};
  if (from_zero) range.low = std::min(range.low, 0.0);
  if (range.high - range.low < 1e-12) range.high = range.low + 1.0;
  const double step = round_step(range.high - range.low, 5);
  return {std::floor(range.low / step) * step, std::ceil(range.high / step - 1e-9) * step};
}

std::string tick_label(double value, double step) {
  const int digits = std::max(0, static_cast<int>(-std::floor(std::log10(step) + 1e-9)));
  return fmt::format("{:.{}f}", value, digits);
}

}  // namespace

double round_step(double span, int most) {
  const double rough = span / most;
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= rough * (1 - 1e-9)) return factor * power;
  }
  return 10.0 * power;
}

std::string line_chart(const std::string& title, const std::string& x_label,
                       const std::vector<ChartLine>& lines, bool from_zero) {
  std::size_t points = 1;
  for (const ChartLine& line : lines) points = std::max(points, line.values.size());
  const Range y = range_of(lines, from_zero);
  const double last = std::max(1.0, static_cast<double>(points - 1));
  const auto at_x = [&](double x) { return kLeft + x / last * (kWidth - kLeft - kRight); };
  const auto at_y = [&](double v) {
    return kHeight - kBottom - (v - y.low) / (y.high - y.low) * (kHeight - kTop - kBottom);
  };

  std::string svg = fmt::format(
      "<svg class=\"chart\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\"><title>{}</title>\n", kWidth,
      kHeight, escape_html(title), escape_html(title));
  const double y_step = round_step(y.high - y.low, 5);
  const int y_ticks = static_cast<int>(std::lround((y.high - y.low) / y_step));
  for (int tick = 0; tick <= y_ticks; ++tick) {
    const double v = y.low + tick * y_step;
    svg += fmt::format("<line class=\"grid\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>",
                       kLeft, at_y(v), kWidth - kRight, at_y(v));
    svg += fmt::format("<text class=\"tick\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n",
                       kLeft - 6, at_y(v) + 4, tick_label(std::abs(v) < y_step / 1e6 ? 0.0 : v, y_step));
  }
  const double x_step = std::max(1.0, round_step(last, 10));
  const auto x_stride = static_cast<std::size_t>(x_step);
  for (std::size_t point = 0; point < points; point += x_stride) {
    const auto x = static_cast<double>(point);
    svg +=
        fmt::format("<text class=\"tick\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{:.0f}</text>\n",
                    at_x(x), kHeight - kBottom + 18, x);
  }
  svg += fmt::format("<text class=\"axis\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>\n",
                     (kLeft + kWidth - kRight) / 2, kHeight - 6, escape_html(x_label));
  double legend_x = kLeft;
  for (const ChartLine& line : lines) {
    std::string path;
    bool pen_down = false;
    for (std::size_t i = 0; i < line.values.size(); ++i) {
      if (!drawable(line.values[i])) {
        pen_down = false;
        continue;
      }
      const double x = at_x(static_cast<double>(i));
      const double v = at_y(*line.values[i]);
      path += fmt::format("{}{:.1f} {:.1f}", pen_down ? " L" : " M", x, v);
      pen_down = true;
      svg += fmt::format(
          "<circle class=\"{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"2.5\"><title>{} {}: "
          "{:.4f}</title></circle>\n",
          line.css_class, x, v, escape_html(line.name), i, *line.values[i]);
    }
    if (!path.empty()) svg += fmt::format("<path class=\"{}\" d=\"{}\"/>\n", line.css_class, path.substr(1));
    svg += fmt::format(
        "<path class=\"{}\" d=\"M{:.1f} 14 h18\"/><text class=\"legend\" x=\"{:.1f}\" y=\"18\">{}</text>\n",
        line.css_class, legend_x, legend_x + 24, escape_html(line.name));
    legend_x += 40 + 7.5 * static_cast<double>(line.name.size());
  }
  return svg + "</svg>\n";
}

}  // namespace headstart
