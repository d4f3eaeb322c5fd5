// pipeline/commands/sweep.hpp: the search of sweep and train --auto before they train: baselines, candidates
// out of fold, temperature. Invariant: the search gets only training images. The search never sees the
// validation split that a run reports.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "head/cancellation.hpp"
#include "head/search/learning_curve.hpp"
#include "head/search/search.hpp"
#include "memory/sparse_rows.hpp"
#include "pipeline/options/training_options.hpp"
#include "pipeline/process/session.hpp"
#include "pipeline/rows/extracted_dataset.hpp"
#include "pipeline/rows/sweep_rows.hpp"

namespace headstart {

/// Training rows of a dataset for the search.
struct SweepInput {
  const SweepRows& rows;                  ///< of all images and views
  std::span<const std::int32_t> labels;   ///< [all images and views]
  std::span<const RowIndex> images;       ///< training images: positions in ExtractedDataset::used
  std::span<const RowIndex> views;        ///< further rows of these images
  std::span<const RowIndex> view_images;  ///< [views.size()]: the image of each view
};

/// Ridge regression on one representation, with the best lambda.
struct RidgeScore {
  Representation representation;
  double lambda = 0.0;
  double accuracy = 0.0;  ///< leave-one-out
};

/// The accuracy and calibration of out-of-fold probabilities.
struct OutOfFold {
  double accuracy = 0.0;   ///< mean over the folds
  double deviation = 0.0;  ///< standard deviation over the folds
  double cross_entropy = 0.0;
  double calibration_error_before = 0.0;  ///< expected calibration error of the logits
  double calibration_error = 0.0;         ///< the same after dividing the logits by the temperature
};

/// train's defaults, cross-validated.
struct RecipeScore {
  Candidate candidate;
  OutOfFold score;
  std::size_t images = 0;  ///< a part of a large set, drawn by the seed
};

struct Sweep {
  /// One for each representation, the best first; empty if there are too many images or too little memory.
  std::vector<RidgeScore> ridge;
  /// On the same folds; empty if it diverges, or if its rows do not fit in memory.
  std::optional<RecipeScore> recipe;
  SearchResult search;
  double temperature = 1.0;  ///< fitted to the best candidate's out-of-fold logits
  OutOfFold best;
  std::optional<OutOfFold> nested;  ///< of the whole search, on images that took no part in it
  std::vector<LearningCurvePoint> learning_curve;
  double seconds = 0.0;

  [[nodiscard]] Eigen::Index images() const noexcept { return search.out_of_fold.rows(); }
  [[nodiscard]] std::size_t folds() const noexcept { return search.scores.front().fold_accuracies.size(); }
};

/// Prints the baselines on stdout as soon as they are known.
/// @param gram_bytes  that Gram matrices may take
/// @throws Error kData if there are fewer images than folds; kFailed if no candidate converges; Cancelled
[[nodiscard]] Sweep run_sweep(const SweepInput& input, const ExtractedDataset& dataset,
                              const TrainOptions& options, std::int64_t gram_bytes,
                              const Cancellation& cancellation, const Session& session);

/// `options` with the values that the sweep chose: representation, hidden layers, learning rate, L2, epochs,
/// temperature. They are the options that are described as searched.
/// @param mean_square  mean |x|^2 of the rows of the training that follows
[[nodiscard]] TrainOptions chosen_options(const Sweep& sweep, double mean_square, TrainOptions options);

}  // namespace headstart
