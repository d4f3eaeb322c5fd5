// pipeline/report/feature_map.cpp
#include "pipeline/report/feature_map.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "pipeline/report/html.hpp"

namespace headstart {
namespace {

constexpr double kWidth = 760;
constexpr double kHeight = 560;
constexpr double kMargin = 22;

// Classes differ in shape and in colour.
constexpr std::array<std::string_view, 4> kShapes{
    "<circle r=\"5\"/>", "<rect x=\"-4.5\" y=\"-4.5\" width=\"9\" height=\"9\"/>",
    "<path d=\"M0 -6 L5.6 4.4 L-5.6 4.4 Z\"/>", "<path d=\"M0 -6.4 L6.4 0 L0 6.4 L-6.4 0 Z\"/>"};
constexpr int kColours = 10;

std::string mark_of(std::int32_t label) {
  return fmt::format("href=\"#s{}\" fill=\"var(--c{})\"", label % static_cast<int>(kShapes.size()),
                     label % kColours);
}

struct Bounds {
  float low = 0.0F;
  float high = 0.0F;
};

template <typename Coordinate>
Bounds bounds_of(const std::vector<MapPoint>& points, Coordinate coordinate) {
  const auto [low, high] = std::minmax_element(
      points.begin(), points.end(),
      [&](const MapPoint& a, const MapPoint& b) { return coordinate(a) < coordinate(b); });
  return {coordinate(*low), coordinate(*high)};
}

std::string legend(const Report& report, const std::vector<std::size_t>& counts) {
  std::string html = "<ul class=\"legend\" aria-label=\"Classes: press one to pick it out\">\n";
  for (std::size_t c = 0; c < report.classes.size(); ++c) {
    if (counts[c] == 0) continue;
    html += fmt::format(
        "<li><button type=\"button\" aria-pressed=\"false\" data-label=\"{0}\"><svg viewBox=\"-8 -8 16 16\" "
        "aria-hidden=\"true\"><use {1}/></svg>{2}</button></li>\n",
        c, mark_of(static_cast<std::int32_t>(c)), escape_html(report.classes[c]));
  }
  return html + "</ul>\n";
}

}  // namespace

std::string feature_map_html(const Report& report) {
  const std::vector<MapPoint>& points = report.map.points;
  if (points.empty()) return "";
  const Bounds x = bounds_of(points, [](const MapPoint& point) { return point.x; });
  const Bounds y = bounds_of(points, [](const MapPoint& point) { return point.y; });
  // One scale for both axes, so that distances are comparable in every direction.
  const double scale =
      std::min((kWidth - 2 * kMargin) / std::max(static_cast<double>(x.high - x.low), 1e-12),
               (kHeight - 2 * kMargin) / std::max(static_cast<double>(y.high - y.low), 1e-12));
  const auto middle = [](const Bounds& b) {
    return (static_cast<double>(b.low) + static_cast<double>(b.high)) / 2;
  };

  std::string html = "<div class=\"map\">\n<svg class=\"plane\" tabindex=\"0\" role=\"img\" ";
  html += fmt::format(
      "viewBox=\"0 0 {} {}\" aria-label=\"Map of {} images by their features; arrow keys go from one to the "
      "next\"><defs>",
      kWidth, kHeight, points.size());
  for (std::size_t shape = 0; shape < kShapes.size(); ++shape)
    html += fmt::format("<g id=\"s{}\">{}</g>", shape, kShapes[shape]);
  html += "</defs>\n";
  std::vector<std::size_t> counts(report.classes.size(), 0);
  for (const MapPoint& point : points) {
    const ShownImage& image = report.images.at(point.image);
    ++counts[static_cast<std::size_t>(image.label)];
    const std::string text = fmt::format(
        "{}: {}{}{}", image.name, report.classes[static_cast<std::size_t>(image.label)],
        image.split.empty() ? "" : ", " + image.split, point.mistaken ? ", taken for another class" : "");
    html += fmt::format(
        "<use {} x=\"{:.1f}\" y=\"{:.1f}\"{} data-label=\"{}\" data-image=\"{}\" data-text=\"{}\"/>\n",
        mark_of(image.label), kWidth / 2 + (static_cast<double>(point.x) - middle(x)) * scale,
        kHeight / 2 - (static_cast<double>(point.y) - middle(y)) * scale,
        point.mistaken ? " class=\"mistaken\"" : "", image.label, point.image, escape_html(text));
  }
  html +=
      "</svg>\n<aside><div class=\"detail\" aria-live=\"polite\"><p class=\"soft\">Point at an image, or "
      "press the "
      "arrow keys on the map, to see it here. Ringed: taken for another class.</p></div>\n";
  return html + legend(report, counts) + "</aside>\n</div>\n";
}

}  // namespace headstart
