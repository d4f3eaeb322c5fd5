// pipeline/inspection.hpp: what the features say about a dataset before anybody trains on it:
// near-duplicates, suspect labels, outliers, classes that overlap, and which tap and pooling promises most.
// For inspect, and for whoever else reports on a dataset. Rows are positions in ExtractedDataset::used.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "data/sha256.hpp"
#include "head/cancellation.hpp"
#include "head/inspection.hpp"
#include "head/matrix.hpp"
#include "head/metrics.hpp"
#include "head/representation.hpp"
#include "pipeline/stage_one.hpp"

namespace headstart {

/// How predictions for rows that the model did not see were made: exact ridge regression on unit-length rows,
/// each row left out in turn (head/ridge.hpp), lambda the best by leave-one-out accuracy; probabilities are
/// softmax(scores / temperature), the temperature fitted to those scores (head/calibration.hpp).
struct OutOfFoldRidge {
  double lambda = 0.0;
  double temperature = 1.0;
  Metrics metrics;  ///< optimistic: lambda and temperature were chosen on the same rows
};

/// How well a linear model on a tap's features, pooled so, could explain the labels.
struct FeatureScore {
  Tap tap = Tap::kBlock5Pool;
  Pooling pooling = Pooling::kFlatten;
  double log_maximum_evidence = 0.0;  ///< LogME (head/transferability.hpp); higher is better
};

struct Inspection {
  double threshold = 0.0;  ///< cosine above which a pair is a near-duplicate
  NearDuplicates near_duplicates;
  OutOfFoldRidge out_of_fold;
  std::vector<SuspectLabel> suspects;
  Outliers outliers;
  Separability separability;
  std::vector<FeatureScore> scores;  ///< the highest first
};

/// Everything but the scores.
/// @param kernel  X X^T of flattened rows
/// @param labels  [rows], each in [0, classes)
/// @throws std::invalid_argument as RidgeRegression: fewer than two or more than kMaxRidgeRows rows, or
/// values that are not finite; Cancelled
[[nodiscard]] Inspection inspect_rows(const Matrix& kernel, std::span<const std::int32_t> labels, int classes,
                                      double threshold, const Cancellation& cancellation = {});

/// Reads cached rows, [keys.size(), size of the tap's map].
using ReadRows = std::function<CsrRows(std::span<const Sha256> keys)>;

/// LogME of each pooling of one tap's rows. Rows are read and pooled in parts; flattened rows, which are
/// needed all at once, are left out where they take more than a tenth of the memory limit.
/// @param shape  of one row's map
/// @throws Cancelled
[[nodiscard]] std::vector<FeatureScore> score_features(Tap tap, MapShape shape, const ReadRows& read,
                                                       std::span<const Sha256> keys,
                                                       std::span<const std::int32_t> labels, int classes,
                                                       int threads, const Cancellation& cancellation = {});

/// The most rows that can be inspected under the memory limit: kMaxRidgeRows, or what 40 % of it hold.
[[nodiscard]] std::size_t most_inspected_rows();

}  // namespace headstart
