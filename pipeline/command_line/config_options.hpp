// pipeline/command_line/config_options.hpp: connects a config.toml with the options of the command line.
// CLI11 parses only the arguments: its versions read and write configuration files differently.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/options/config.hpp"

namespace headstart {

/// The resolved options of `app`, a parsed command. Options without a value are left out.
[[nodiscard]] Config config_of(const CLI::App& app);

/// Sets the options of `app` to the values in the section of `command` in `file`. Options on the command line
/// win: a key is skipped if the command line has its option, or has an option that this option excludes.
/// `typed` and `app` are both the root of the same options: `typed` has parsed the arguments, `app` will
/// parse them.
/// @param command  as typed, below the root
/// @returns a note for the user if the file says nothing about the command
/// @throws Error kUsage with file, line and key: for an unknown key in any section, or a value that the
/// option does not take
[[nodiscard]] std::optional<std::string> apply_config(const std::filesystem::path& file, CLI::App& typed,
                                                      CLI::App& app, const std::vector<std::string>& command);

}  // namespace headstart
