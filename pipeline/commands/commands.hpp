// pipeline/commands/commands.hpp: the work of each subcommand, once its options are known. Each prints its
// results to stdout.
#pragma once

#include "pipeline/options/options.hpp"

namespace headstart {

// All throw Error or Interrupted; run_command_line() turns these into one line and an exit code.

void run_train(const TrainOptions& options, const Session& session);
void run_finetune(const FinetuneOptions& options, const Session& session);
void run_extract(const ExtractOptions& options, const Session& session);
void run_inspect(const InspectOptions& options, const Session& session);
void run_evaluate(const EvaluateOptions& options, const Session& session);
void run_predict(const PredictOptions& options, const Session& session);
void run_export(const ExportOptions& options, const Session& session);
void run_cache_list(const CacheOptions& options, const Session& session);
void run_cache_verify(const CacheOptions& options, const Session& session);
void run_cache_compact(const CacheOptions& options, const Session& session);
void run_cache_export(const CacheExportOptions& options, const Session& session);
void run_cache_prune(const CachePruneOptions& options, const Session& session);
void run_info(const InfoOptions& options, const Session& session);

}  // namespace headstart
