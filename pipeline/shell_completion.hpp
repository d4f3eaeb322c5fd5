// pipeline/shell_completion.hpp: scripts that complete commands, options and their values in bash and zsh,
// from the command line's description.
#pragma once

#include <string>

#include "pipeline/command_description.hpp"

namespace headstart {

/// For bash 4 or later, to be sourced or put into bash-completion's folder; needs nothing of bash-completion.
[[nodiscard]] std::string bash_completion(const CommandDescription& program);

/// For zsh, to be put into a folder of $fpath as _headstart.
[[nodiscard]] std::string zsh_completion(const CommandDescription& program);

}  // namespace headstart
