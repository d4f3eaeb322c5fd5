// pipeline/report/assets.hpp: report.css and report.js, which are inside the binary.
#pragma once

#include <string_view>

namespace headstart {

[[nodiscard]] std::string_view report_style() noexcept;
[[nodiscard]] std::string_view report_script() noexcept;

}  // namespace headstart
