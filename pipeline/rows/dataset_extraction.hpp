// pipeline/rows/dataset_extraction.hpp: stage one over a dataset: find its images, extract them, tell the
// user.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "data/dataset/manifest.hpp"
#include "data/dataset/shard.hpp"
#include "pipeline/options/stage_one_options.hpp"
#include "pipeline/process/session.hpp"
#include "pipeline/rows/extracted_dataset.hpp"
#include "pipeline/rows/stage_one.hpp"

namespace headstart {

/// Checks the number of rejects against --max-rejects. @param name  of the dataset @throws Error kData
void check_max_rejects(std::size_t rejected, std::size_t total, const ImageOptions& options,
                       const std::string& name);

/// Lists `dataset`, and prints on the console how it was read. @throws Error as discover()
[[nodiscard]] Manifest find_images(const std::filesystem::path& dataset, int min_classes,
                                   const ImageOptions& options, Console& console);

/// Keeps `shard` of `manifest` and runs stage one over it. Reports rejects and duplicates on the console, and
/// checks the number of rejects against the limits.
/// @param dataset  the path in which find_images() found `manifest`
/// @throws Error kData if no image of the whole dataset is left, or if more were rejected than allowed;
/// kUsage and kFailed as discover()
[[nodiscard]] ExtractedDataset extract_dataset(Manifest manifest, const std::filesystem::path& dataset,
                                               const StageOneOptions& options, const Session& session,
                                               StageOne& stage_one, int views = 0, const Shard& shard = {});
/// Calls find_images(), then the function above.
[[nodiscard]] ExtractedDataset extract_dataset(const std::filesystem::path& dataset, int min_classes,
                                               const StageOneOptions& options, const Session& session,
                                               StageOne& stage_one, int views = 0, const Shard& shard = {});

/// For --dry-run: prints what discover() finds in this shard of `dataset`, and how much of it the cache
/// holds. Of a larger rest it prints how long the network takes, which is tried on a few images.
/// @return the images of the shard
Manifest print_plan(const std::filesystem::path& dataset, int min_classes, const Session& session,
                    StageOne& stage_one, int views = 0, const Shard& shard = {});

}  // namespace headstart
