// pipeline/command_line/shell_completion.hpp: scripts that complete commands, options and values in bash and
// zsh, made from the description of the command line.
#pragma once

#include <string>

#include "pipeline/command_line/command_description.hpp"

namespace headstart {

/// For bash 4 or later. Source the script, or put it into bash-completion's folder; it does not need
/// bash-completion.
[[nodiscard]] std::string bash_completion(const CommandDescription& program);

/// For zsh. Put the script into a folder of $fpath as _headstart.
[[nodiscard]] std::string zsh_completion(const CommandDescription& program);

}  // namespace headstart
