// pipeline/split_rows.hpp: an extracted dataset as the rows that training sees: who trains, who validates.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/sha256.hpp"
#include "head/feature_rows.hpp"
#include "pipeline/checkpoint.hpp"
#include "pipeline/class_weight.hpp"
#include "pipeline/stage_one.hpp"
#include "pipeline/training_views.hpp"

namespace headstart {

/// Which feature rows (positions in ExtractedDataset::used) belong to which split, and everybody's label.
struct SplitRows {
  std::vector<std::int32_t> labels;
  std::vector<RowIndex> training;
  std::vector<RowIndex> validation;
  std::vector<RowIndex> test;
};

/// @param validation  share of each class that assign_splits() draws
/// @throws Error kUsage if no validation image would be there for early stopping to watch
void check_early_stopping(const Manifest& manifest, double validation, int early_stopping);

/// Draws the validation split where the dataset does not give one.
/// @param validation  share of each class
void assign_splits(ExtractedDataset& dataset, double validation, std::uint64_t seed);

/// Rows, labels and splits of the images that are used, as assign_splits() left them.
[[nodiscard]] SplitRows split_rows(const ExtractedDataset& dataset);

/// @param name  what errors call the dataset
/// @throws Error kData where fewer than two classes have training images, or one has none and classes are to
/// be balanced
void check_trainable(const ExtractedDataset& dataset, const SplitRows& rows, ClassWeight class_weight,
                     const std::string& name, Console& console);

/// The cache's keys of the rows.
[[nodiscard]] std::vector<Sha256> keys_of(const ExtractedDataset& dataset);

/// Views train like images, behind all images' rows; whatever counts or measures images names those only.
void append(const TrainingViews& views, SplitRows& rows, std::vector<Sha256>& keys);

/// What a checkpoint of a run knows of the data.
[[nodiscard]] RunIdentity facts_of(const SplitRows& rows, std::span<const Sha256> keys,
                                   const std::vector<std::string>& classes,
                                   const ExtractorConfiguration& configuration);

}  // namespace headstart
