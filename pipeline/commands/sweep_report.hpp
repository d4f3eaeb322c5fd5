// pipeline/commands/sweep_report.hpp: a sweep as text for the user, and as CSV and JSON for programs.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "pipeline/commands/sweep.hpp"
#include "pipeline/report/report.hpp"

namespace headstart {

/// The best `most` candidates as a table for a terminal, with an explanation of the numbers.
[[nodiscard]] std::string sweep_table(const Sweep& sweep, std::size_t most);
/// The table for the report.
[[nodiscard]] std::vector<ReportTable> sweep_report(const Sweep& sweep, std::size_t most);
/// All candidates, the best first.
[[nodiscard]] std::string sweep_csv(const Sweep& sweep);
[[nodiscard]] nlohmann::ordered_json to_json(const Sweep& sweep);

}  // namespace headstart
