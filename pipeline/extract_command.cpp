// pipeline/extract_command.cpp: headstart extract: stage one only.
#include <fmt/format.h>

#include "pipeline/commands.hpp"
#include "pipeline/embedded_weights.hpp"
#include "pipeline/stage_one.hpp"

namespace headstart {

void run_extract(const ExtractOptions& options, const Session& session) {
  StageOne stage_one(load_weights(options.stage_one.weights), options.taps, options.stage_one, session);
  if (options.dry_run) return print_plan(options.dataset, 1, stage_one, options.views);
  const ExtractedDataset dataset =
      extract_dataset(options.dataset, 1, options.stage_one, session, stage_one, options.views);
  fmt::print("{}\ncache: {}\n", describe(dataset),
             (stage_one.cache_folder() / stage_one.configuration().fingerprint()).string());
}

}  // namespace headstart
