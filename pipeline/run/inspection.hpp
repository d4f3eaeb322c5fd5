// pipeline/run/inspection.hpp: what the features show about a dataset before training: near-duplicates,
// suspect labels, outliers, overlapping classes, and the LogME score of each tap and pooling. inspect and the
// reports use these findings. Rows are positions in ExtractedDataset::used.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "data/sha256.hpp"
#include "head/cancellation.hpp"
#include "head/insight/inspection.hpp"
#include "head/insight/metrics.hpp"
#include "head/matrix.hpp"
#include "head/representation/representation.hpp"
#include "pipeline/rows/extracted_dataset.hpp"

namespace headstart {

/// Predictions for rows that the model did not see, by exact ridge regression on unit-length rows, leaving
/// out each row in turn (head/search/ridge.hpp). lambda is the best one by leave-one-out accuracy.
/// Probabilities are softmax(scores / temperature), with the temperature fitted to those scores
/// (head/search/calibration.hpp).
struct OutOfFoldRidge {
  double lambda = 0.0;
  double temperature = 1.0;
  Metrics metrics;  ///< optimistic: lambda and temperature were chosen on the same rows
};

/// How well a linear model on a tap's features, with this pooling, could explain the labels.
struct FeatureScore {
  Tap tap{};
  Pooling pooling = Pooling::kFlatten;
  double log_maximum_evidence = 0.0;  ///< LogME (head/insight/transferability.hpp); higher is better
};

struct Inspection {
  double threshold = 0.0;  ///< a pair above this cosine is a near-duplicate
  NearDuplicates near_duplicates;
  OutOfFoldRidge out_of_fold;
  std::vector<SuspectLabel> suspects;
  Outliers outliers;
  Separability separability;
  std::vector<FeatureScore> scores;  ///< by falling score
};

/// Makes everything except the scores.
/// @param kernel  the Gram matrix X X^T of flattened rows
/// @param labels  [rows], each in [0, classes)
/// @throws std::invalid_argument as RidgeRegression, for fewer than two or more than kMaxRidgeRows rows, or
/// for values that are not finite; Cancelled
[[nodiscard]] Inspection inspect_rows(const Matrix& kernel, std::span<const std::int32_t> labels, int classes,
                                      double threshold, const Cancellation& cancellation = {});

/// Reads cached rows, [keys.size(), size of the tap's map].
using ReadRows = std::function<SparseRows(std::span<const Sha256> keys)>;

/// LogME of each pooling of one tap's rows. Rows are read and pooled in parts. Flattened rows must be in
/// memory together, so they are left out where they take more than a tenth of the memory limit.
/// @param shape  of one row's map
/// @throws Cancelled
[[nodiscard]] std::vector<FeatureScore> score_features(const Tap& tap, MapShape shape, const ReadRows& read,
                                                       std::span<const Sha256> keys,
                                                       std::span<const std::int32_t> labels, int classes,
                                                       int threads, const Cancellation& cancellation = {});

/// The most rows that can be inspected: kMaxRidgeRows, or fewer if 40 % of the memory limit holds fewer.
[[nodiscard]] std::size_t most_inspected_rows();

}  // namespace headstart
