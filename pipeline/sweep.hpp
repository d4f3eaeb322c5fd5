// pipeline/sweep.hpp: the search that sweep and train --auto do before they train: baselines, candidates out
// of fold, temperature. Invariant: it is given training images only. The validation split that a run reports
// on is not among them.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <vector>

#include "features/csr_rows.hpp"
#include "head/cancellation.hpp"
#include "head/learning_curve.hpp"
#include "head/search.hpp"
#include "pipeline/options.hpp"
#include "pipeline/stage_one.hpp"

namespace headstart {

/// Training rows of a dataset as the search takes them.
struct SweepInput {
  FeatureRows maps;                       ///< cached activations of all images and views
  std::int64_t channels = 0;              ///< of the maps
  std::span<const std::int32_t> labels;   ///< [maps.rows()]
  std::span<const RowIndex> images;       ///< training images: positions in ExtractedDataset::used
  std::span<const RowIndex> views;        ///< further rows of them
  std::span<const RowIndex> view_images;  ///< [views.size()]: which image each is of
};

/// Ridge regression on one representation, at its best lambda.
struct RidgeScore {
  Representation representation;
  double lambda = 0.0;
  double accuracy = 0.0;  ///< leave-one-out
};

/// How calibrated probabilities are, and how right.
struct OutOfFold {
  double accuracy = 0.0;   ///< mean over the folds
  double deviation = 0.0;  ///< standard deviation over the folds
  double cross_entropy = 0.0;
  double calibration_error_before = 0.0;  ///< expected calibration error of the logits
  double calibration_error = 0.0;         ///< the same divided by the temperature
};

struct Sweep {
  /// One for each representation, the best first; empty for too many images, or too little memory.
  std::vector<RidgeScore> ridge;
  std::optional<OutOfFold> recipe;  ///< train's defaults on the same folds; nothing where they diverge
  SearchResult search;
  double temperature = 1.0;  ///< fitted on the best candidate's logits out of fold
  OutOfFold best;
  std::optional<OutOfFold> nested;  ///< of the whole search, on images that took no part in it
  std::vector<LearningCurvePoint> learning_curve;
  double seconds = 0.0;

  [[nodiscard]] Eigen::Index images() const noexcept { return search.out_of_fold.rows(); }
  [[nodiscard]] std::size_t folds() const noexcept { return search.scores.front().fold_accuracies.size(); }
};

/// @param rows  images and views of the training split
/// @throws Error kData where a search on so many would take more than 40 % of the memory limit
void check_sweep_memory(std::size_t rows, int classes, const SweepOptions& options);

/// Prints the baselines on stdout as soon as they are there.
/// @throws Error kData where there are fewer images than folds or too many for the memory, kFailed where
/// nothing converges; Cancelled
[[nodiscard]] Sweep run_sweep(const SweepInput& input, const ExtractedDataset& dataset,
                              const TrainOptions& options, const Cancellation& cancellation,
                              const Session& session);

/// The options of train that a sweep decides: those that chosen_options() sets in config.toml.
inline constexpr std::array<const char*, 9> kSearchedOptions{
    "--pooling", "--transform", "--hidden",         "--learning-rate", "--l2",
    "--epochs",  "--schedule",  "--early-stopping", "--temperature"};

/// `options` with what the sweep chose: representation, hidden layers, learning rate, L2, epochs,
/// temperature; and a config.toml that repeats the training.
/// @param mean_square  mean |x|^2 of the rows that will be trained on
[[nodiscard]] TrainOptions chosen_options(const Sweep& sweep, double mean_square, TrainOptions options);

}  // namespace headstart
