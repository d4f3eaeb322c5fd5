// pipeline/report/chart.cpp
#include "pipeline/report/chart.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "pipeline/report/html.hpp"

namespace headstart {
namespace {

/// The place of a chart's plane in its picture, and the range of its axes.
struct Plane {
  double width = 520;
  double height = 300;
  double left = 56;
  double right = 16;
  double top = 56;
  double bottom = 42;
  double x_low = 0.0;
  double x_high = 1.0;
  double y_low = 0.0;
  double y_high = 1.0;

  [[nodiscard]] double x(double value) const {
    return left + (value - x_low) / (x_high - x_low) * (width - left - right);
  }
  [[nodiscard]] double y(double value) const {
    return height - bottom - (value - y_low) / (y_high - y_low) * (height - top - bottom);
  }
};

std::string begin_svg(const Plane& plane, const std::string& title, const char* css_class = "chart") {
  const std::string escaped = escape_html(title);
  return fmt::format(
      "<svg class=\"{0}\" viewBox=\"0 0 {1} {2}\" role=\"img\" aria-label=\"{3}\"><title>{3}</title>\n"
      "<text class=\"heading\" x=\"{4}\" y=\"18\">{3}</text>\n",
      css_class, plane.width, plane.height, escaped, plane.left);
}

std::string text_at(double x, double y, const char* anchor, const std::string& text,
                    const char* css_class = "tick") {
  return fmt::format("<text class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>\n", css_class,
                     x, y, anchor, escape_html(text));
}

std::string tick_label(double value, double step) {
  const int digits = std::max(0, static_cast<int>(-std::floor(std::log10(step) + 1e-9)));
  return fmt::format("{:.{}f}", std::abs(value) < step / 1e6 ? 0.0 : value, digits);
}

/// Lines across the plane at round values of y, with these values.
std::string y_axis(const Plane& plane) {
  std::string svg;
  const double step = round_step(plane.y_high - plane.y_low, 5);
  const int ticks = static_cast<int>(std::floor((plane.y_high - plane.y_low) / step + 1e-6));
  for (int tick = 0; tick <= ticks; ++tick) {
    const double value = plane.y_low + tick * step;
    svg += fmt::format("<line class=\"grid\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>",
                       plane.left, plane.y(value), plane.width - plane.right, plane.y(value));
    svg += text_at(plane.left - 6, plane.y(value) + 4, "end", tick_label(value, step));
  }
  return svg;
}

std::string x_label(const Plane& plane, const std::string& text) {
  return text_at((plane.left + plane.width - plane.right) / 2, plane.height - 6, "middle", text, "axis");
}

std::string dot(const Plane& plane, double x, double y, double radius, const std::string& css_class,
                const std::string& text) {
  return fmt::format("<circle class=\"{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{}\"><title>{}</title></circle>\n",
                     css_class, plane.x(x), plane.y(y), radius, escape_html(text));
}

bool drawable(const std::optional<double>& value) { return value && std::isfinite(*value); }

/// Sets both ends of the y axis to round values.
void span_y(Plane& plane, double low, double high) {
  if (!(low <= high)) return;
  if (high - low < 1e-12) high = low + 1.0;
  const double step = round_step(high - low, 5);
  plane.y_low = std::floor(low / step) * step;
  plane.y_high = std::ceil(high / step - 1e-9) * step;
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

std::string line_chart(const std::string& title, const std::string& x_label_text,
                       const std::vector<ChartLine>& lines, bool from_zero) {
  std::size_t points = 1;
  double low = std::numeric_limits<double>::infinity();
  double high = -low;
  for (const ChartLine& line : lines) {
    points = std::max(points, line.values.size());
    for (const auto& value : line.values) {
      if (!drawable(value)) continue;
      low = std::min(low, *value);
      high = std::max(high, *value);
    }
  }
  Plane plane;
  plane.x_high = std::max(1.0, static_cast<double>(points - 1));
  span_y(plane, from_zero ? std::min(low, 0.0) : low, high);

  std::string svg = begin_svg(plane, title) + y_axis(plane);
  const auto x_stride = static_cast<std::size_t>(std::max(1.0, round_step(plane.x_high, 10)));
  for (std::size_t number = 1; number <= points; ++number) {
    if (number != 1 && number % x_stride != 0) continue;
    svg += text_at(plane.x(static_cast<double>(number - 1)), plane.height - plane.bottom + 18, "middle",
                   fmt::format("{}", number));
  }
  svg += x_label(plane, x_label_text);
  double legend_x = plane.left;
  for (const ChartLine& line : lines) {
    std::string path;
    bool pen_down = false;
    for (std::size_t i = 0; i < line.values.size(); ++i) {
      if (!drawable(line.values[i])) {
        pen_down = false;
        continue;
      }
      const auto x = static_cast<double>(i);
      path += fmt::format("{}{:.1f} {:.1f}", pen_down ? " L" : " M", plane.x(x), plane.y(*line.values[i]));
      pen_down = true;
      svg += dot(plane, x, *line.values[i], 2.5, line.css_class,
                 fmt::format("{} {}: {:.4f}", line.name, i + 1, *line.values[i]));
    }
    if (!path.empty()) svg += fmt::format("<path class=\"{}\" d=\"{}\"/>\n", line.css_class, path.substr(1));
    svg += fmt::format("<path class=\"{}\" d=\"M{:.1f} 36 h18\"/>", line.css_class, legend_x);
    svg += text_at(legend_x + 24, 40, "start", line.name, "legend");
    legend_x += 40 + 7.5 * static_cast<double>(line.name.size());
  }
  return svg + "</svg>\n";
}

std::string reliability_chart(const std::string& title, const std::vector<CalibrationBin>& bins) {
  Plane plane;
  plane.width = 420;
  plane.height = 440;
  plane.top = 34;
  plane.bottom = 112;
  std::string svg = begin_svg(plane, title) + y_axis(plane);
  svg += fmt::format("<line class=\"ideal\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>\n",
                     plane.x(0.0), plane.y(0.0), plane.x(1.0), plane.y(1.0));
  std::int64_t most = 1;
  for (const CalibrationBin& bin : bins) most = std::max(most, bin.rows);
  const double base = plane.height - 44;  // the line below the plane on which the bars of counts stand
  const double step = 1.0 / static_cast<double>(std::max<std::size_t>(bins.size(), 1));
  for (std::size_t i = 0; i < bins.size(); ++i) {
    const CalibrationBin& bin = bins[i];
    if (bin.rows == 0) continue;
    const double left = plane.x(static_cast<double>(i) * step) + 1;
    const double width = plane.x(step) - plane.x(0.0) - 2;
    const double count = 44.0 * static_cast<double>(bin.rows) / static_cast<double>(most);
    const std::string text = fmt::format(
        "{} predictions of confidence {:.2f} to {:.2f}, {:.3f} on average: {:.1f} % right", bin.rows,
        static_cast<double>(i) * step, static_cast<double>(i + 1) * step, bin.confidence, bin.accuracy * 100);
    svg += fmt::format(
        "<g><title>{0}</title><rect class=\"first\" x=\"{1:.1f}\" y=\"{2:.1f}\" width=\"{3:.1f}\" "
        "height=\"{4:.1f}\"/>"
        "<line class=\"gap\" x1=\"{5:.1f}\" y1=\"{2:.1f}\" x2=\"{5:.1f}\" y2=\"{6:.1f}\"/>"
        "<rect class=\"faint\" x=\"{1:.1f}\" y=\"{7:.1f}\" width=\"{3:.1f}\" height=\"{8:.1f}\"/></g>\n",
        escape_html(text), left, plane.y(bin.accuracy), width,
        std::max(plane.y(0.0) - plane.y(bin.accuracy), 1.5), left + width / 2, plane.y(bin.confidence),
        base - count, count);
  }
  for (int tick = 0; tick <= 5; ++tick)
    svg += text_at(plane.x(tick / 5.0), base + 16, "middle", fmt::format("{:.1f}", tick / 5.0));
  svg += x_label(plane, "confidence: probability of the predicted class");
  svg += text_at(plane.left - 6, base - 14, "end", "images");
  return svg + "</svg>\n";
}

std::string strip_chart(const std::string& title, const std::vector<std::string>& categories,
                        const std::vector<StripPoint>& points) {
  Plane plane;
  plane.width = 330;
  plane.height = 240;
  plane.left = 48;
  plane.top = 34;
  plane.bottom = 34;
  plane.x_low = -0.5;
  plane.x_high = std::max(0.5, static_cast<double>(categories.size()) - 0.5);
  double low = std::numeric_limits<double>::infinity();
  double high = -low;
  for (const StripPoint& point : points) {
    if (!std::isfinite(point.value)) continue;
    low = std::min(low, point.value);
    high = std::max(high, point.value);
  }
  span_y(plane, low, high);
  std::string svg = begin_svg(plane, title, "chart narrow") + y_axis(plane);
  for (std::size_t i = 0; i < categories.size(); ++i) {
    svg += text_at(plane.x(static_cast<double>(i)), plane.height - 12, "middle", categories[i]);
  }
  std::vector<std::size_t> drawn(categories.size(), 0);
  for (const StripPoint& point : points) {
    if (!std::isfinite(point.value)) continue;
    // Points lie side by side at steps of the golden ratio: evenly spread, and the same in every run.
    const double turn = static_cast<double>(drawn[point.category]++) * 0.618033988749895;
    const double x = static_cast<double>(point.category) + 0.5 * (turn - std::floor(turn) - 0.5);
    svg += dot(plane, x, point.value, 3, point.css_class, point.text);
  }
  return svg + "</svg>\n";
}

}  // namespace headstart
