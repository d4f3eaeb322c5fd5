// pipeline/rows/shared_extraction.hpp: stage one by the processes of one mpirun. Each takes a share of files,
// publishes its rows, and takes the next share (shared_work.hpp). Processes exchange only numbers; the rows
// go to the cache.
#pragma once

#include <string>

#include "data/dataset/manifest.hpp"
#include "pipeline/options/stage_one_options.hpp"
#include "pipeline/process/shared_work.hpp"
#include "pipeline/rows/stage_one.hpp"

namespace headstart {

/// Extracts all of `manifest` together with the other processes, which call it with the same arguments. Each
/// process warns of the images that it rejects; rank 0 shows the progress of all.
/// @param views    of each image
/// @param session  session.processes are the processes that share the work out
/// @param name     of the dataset, for messages
/// @return the counts of all processes, by rank
/// @throws Error kFailed if the processes see different files, or if a process failed or died and some files
/// were not done; kData as --on-error and --max-rejects demand; Interrupted. Files that are done are in the
/// cache.
[[nodiscard]] std::vector<WorkCounts> extract_together(const Manifest& manifest, const ImageOptions& images,
                                                       int views, const Session& session, StageOne& stage_one,
                                                       const std::string& name);

}  // namespace headstart
