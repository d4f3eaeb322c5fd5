// pipeline/rows/divided_extraction.hpp: stage one of processes that train together. Each computes the rows of
// its share of the files and finds those of the others in the common cache.
#pragma once

#include <span>
#include <vector>

#include "data/archive/image_source.hpp"
#include "features/extraction/extractor.hpp"
#include "head/layers/process_group.hpp"

namespace headstart {

/// This process's share: files rank, rank + size, ...
[[nodiscard]] std::vector<ImageSource> share_of(std::span<const ImageSource> files,
                                                const ProcessGroup& processes);

/// Counts as computed what any process has computed, although it is in the cache by now.
/// @param own      the extraction of this process's share
/// @param views    of each image
/// @param network  whose rows they are
/// @param all      the extraction of all files, which found every row; changed
void add_computed(const Extraction& own, int views, const Network& network, ProcessGroup& processes,
                  Extraction& all);

}  // namespace headstart
