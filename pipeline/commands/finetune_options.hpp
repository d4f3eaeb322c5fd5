// pipeline/commands/finetune_options.hpp: the options of finetune, on the command line and in config.toml.
#pragma once

#include "pipeline/options/option_kinds.hpp"
#include "pipeline/options/options.hpp"

namespace headstart {

/// `options` has to live as long as `app`.
void add_finetune(CLI::App& app, FinetuneOptions& options);

}  // namespace headstart
