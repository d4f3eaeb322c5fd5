// pipeline/command_line/option_parser.hpp: gives described options (pipeline/options/option.hpp) to CLI11.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/options/option.hpp"

namespace headstart {

/// Adds the options to `app`, whose parsing then sets their fields. The fields have to outlive `app`.
void add_options(CLI::App& app, const OptionList& list);

/// `arguments` with '-' for each '_' in the names of options: --learning_rate is --learning-rate. Words after
/// "--" stay as they are.
[[nodiscard]] std::vector<std::string> with_hyphens(std::vector<std::string> arguments);

/// The same for one name.
[[nodiscard]] std::string with_hyphens(std::string_view name);

}  // namespace headstart
