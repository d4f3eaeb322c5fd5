// pipeline/command_line/config_options.hpp: gives the options in a config.toml to the command line.
// CLI11 parses only the arguments: its versions read and write configuration files differently.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "pipeline/options/option.hpp"

namespace headstart {

/// The options of each command of a parser.
using DescribedCommands = std::map<const CLI::App*, const OptionList*>;

/// Sets the options of `app` to the values in the section of `command` in `file`. Options on the command line
/// win: a key is skipped if the command line has its option, or has an option that this option excludes.
/// `typed` and `app` are both the root of the same options: `typed` has parsed the arguments, `app` will
/// parse them.
/// @param commands  of `app`
/// @param command   as typed, below the root
/// @returns notes for the user: the file says nothing about the command, or a key has its meaning of 0.1.0
/// @throws Error kUsage with file, line and key: for an unknown key in any section, or a value that the
/// option does not take
[[nodiscard]] std::vector<std::string> apply_config(const std::filesystem::path& file, CLI::App& typed,
                                                    CLI::App& app, const DescribedCommands& commands,
                                                    const std::vector<std::string>& command);

}  // namespace headstart
