// pipeline/commands/model_options.hpp: the options of commands that take a saved model.
#pragma once

#include "pipeline/options/option_kinds.hpp"
#include "pipeline/options/options.hpp"

namespace headstart {

// `options` has to live as long as `app`.

void add_evaluate(CLI::App& app, EvaluateOptions& options);
void add_predict(CLI::App& app, PredictOptions& options);
void add_export(CLI::App& app, ExportOptions& options);

}  // namespace headstart
