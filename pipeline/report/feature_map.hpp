// pipeline/report/feature_map.hpp: the report's map of the features: a plane of points, a legend that picks
// out a class, and a place where the picture of a point appears.
#pragma once

#include <string>

#include "pipeline/report/report.hpp"

namespace headstart {

/// HTML of the map; nothing where it has no points.
[[nodiscard]] std::string feature_map_html(const Report& report);

}  // namespace headstart
