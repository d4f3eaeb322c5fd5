// pipeline/shared_extraction.hpp: stage one by the processes of one mpirun: each takes a block of files,
// publishes its rows, takes the next (shared_work.hpp). Nothing but numbers passes between them: the rows go
// to the cache.
#pragma once

#include <string>

#include "data/manifest.hpp"
#include "pipeline/options.hpp"
#include "pipeline/shared_work.hpp"
#include "pipeline/stage_one.hpp"

namespace headstart {

/// Extracts all of `manifest`, together with the other processes, which call it with the same arguments. Each
/// warns of the images that it rejects; rank 0 shows everybody's progress.
/// @param session  session.processes are those that share the work out
/// @param name     of the dataset, for messages
/// @return what all of them did, by rank
/// @throws Error kFailed if the processes see different files, or if some files were not done because a
/// process failed or died; kData as --on-error and --max-rejects say; Interrupted. What was done is cached.
[[nodiscard]] std::vector<WorkCounts> extract_together(const Manifest& manifest,
                                                       const ExtractOptions& options, const Session& session,
                                                       StageOne& stage_one, const std::string& name);

}  // namespace headstart
