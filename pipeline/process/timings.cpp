// pipeline/process/timings.cpp
#include "pipeline/process/timings.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "pipeline/process/text_table.hpp"

namespace headstart {

Timings::Timings(std::string_view first, Clock::time_point now)
    : passes_{{std::string(first), 0.0}}, since_(now) {}

void Timings::begin(std::string_view name, Clock::time_point now) {
  passes_ = passes(now);
  since_ = now;
  const auto known =
      std::find_if(passes_.begin(), passes_.end(), [&](const Pass& pass) { return pass.name == name; });
  current_ = static_cast<std::size_t>(known - passes_.begin());
  if (known == passes_.end()) passes_.push_back({std::string(name), 0.0});
}

std::vector<Timings::Pass> Timings::passes(Clock::time_point now) const {
  std::vector<Pass> passes = passes_;
  passes[current_].seconds += std::chrono::duration<double>(now - since_).count();
  return passes;
}

std::string Timings::table(Clock::time_point now) const {
  const std::vector<Pass> passes = this->passes(now);
  double total = 0.0;
  for (const Pass& pass : passes) total += pass.seconds;
  std::vector<std::vector<std::string>> rows{{"pass", "seconds", "share"}};
  const auto add = [&](const std::string& name, double seconds) {
    rows.push_back({name, fmt::format("{:.2f}", seconds),
                    fmt::format("{:.0f} %", total > 0.0 ? 100.0 * seconds / total : 0.0)});
  };
  for (const Pass& pass : passes) add(pass.name, pass.seconds);
  add("total", total);
  std::string table = text_table(rows);
  table.pop_back();  // the end of the last line
  return table;
}

}  // namespace headstart
