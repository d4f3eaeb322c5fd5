// pipeline/command_line/command_line.hpp: the program: arguments in, exit code out. No other place turns
// errors into lines and exit codes.
#pragma once

#include "pipeline/command_line/command_description.hpp"

namespace headstart {

/// Parses the arguments, runs the command, and prints any error as one line on stderr.
/// @returns 0 done; 1 failed; 2 wrong usage; 3 the data does not allow it; 130 interrupted
[[nodiscard]] int run_command_line(int argc, const char* const* argv);

/// The program and all its commands, for manual pages and shell completion.
[[nodiscard]] CommandDescription describe_command_line();

}  // namespace headstart
