// pipeline/config_options.hpp: between a config.toml and the options of the command line. CLI11 parses the
// arguments; of configuration files it knows nothing, as its versions read and write them differently.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/config.hpp"

namespace headstart {

/// The options of `app`, a parsed command, as they were resolved; those without a value are left out.
[[nodiscard]] Config config_of(const CLI::App& app);

/// Gives the options of `app` what `file` says in the section of `command`, but for those that the command
/// line has, or that exclude one that it has. Both are the root of the same options: `typed` has parsed the
/// arguments, `app` is about to.
/// @param command  as typed, below the root
/// @returns what a person may want to know: that the file says nothing of the command
/// @throws Error kUsage naming file, line and key: of what is unknown in any section, or what an option does
/// not take
[[nodiscard]] std::optional<std::string> apply_config(const std::filesystem::path& file, CLI::App& typed,
                                                      CLI::App& app, const std::vector<std::string>& command);

}  // namespace headstart
