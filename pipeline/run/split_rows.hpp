// pipeline/run/split_rows.hpp: an extracted dataset as rows for training and validation.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/sha256.hpp"
#include "memory/sparse_rows.hpp"
#include "pipeline/options/class_weight.hpp"
#include "pipeline/rows/extracted_dataset.hpp"
#include "pipeline/rows/training_views.hpp"
#include "pipeline/run/checkpoint.hpp"

namespace headstart {

/// The feature rows (positions in ExtractedDataset::used) of each split, and the label of every row.
struct SplitRows {
  std::vector<std::int32_t> labels;
  std::vector<RowIndex> training;
  std::vector<RowIndex> validation;
  std::vector<RowIndex> test;
};

/// @param validation  share of each class that assign_splits() draws
/// @throws Error kUsage if early stopping is on and there would be no validation image
void check_early_stopping(const Manifest& manifest, double validation, int early_stopping);

/// Draws the validation split if the dataset does not have one.
/// @param validation  share of each class
void assign_splits(ExtractedDataset& dataset, double validation, std::uint64_t seed);

/// Rows, labels and splits of the used images, after assign_splits().
[[nodiscard]] SplitRows split_rows(const ExtractedDataset& dataset);

/// Checks that there is something to learn, and tells the console what may spoil it: a class without images,
/// and unequal classes (more than 20 : 1) that are not balanced.
/// @param name  the name of the dataset in errors
/// @throws Error kData if fewer than two classes have training images, or if classes shall be balanced and
/// one class has none
void check_trainable(const ExtractedDataset& dataset, const SplitRows& rows, ClassWeight class_weight,
                     const std::string& name, Console& console);

/// The cache's keys of the rows.
[[nodiscard]] std::vector<Sha256> keys_of(const ExtractedDataset& dataset);

/// Adds views as training rows after the rows of all images. Code that counts or measures images uses only
/// the images.
void append(const TrainingViews& views, SplitRows& rows, std::vector<Sha256>& keys);

/// The facts about the data in a run's checkpoint.
[[nodiscard]] RunIdentity facts_of(const SplitRows& rows, std::span<const Sha256> keys,
                                   const std::vector<std::string>& classes,
                                   const ExtractorConfiguration& configuration);

}  // namespace headstart
