// pipeline/report/feature_map.hpp: the report's map of the features: a plane of points, a legend that
// highlights a class, a place for pictures.
#pragma once

#include <string>

#include "pipeline/report/report.hpp"

namespace headstart {

/// HTML of the map; empty if it has no points.
[[nodiscard]] std::string feature_map_html(const Report& report);

}  // namespace headstart
