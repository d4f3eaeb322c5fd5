// pipeline/run/inspection.hpp: what the features show about a dataset before training: near-duplicates,
// suspect labels, outliers, overlapping classes, and the LogME score of each tap and pooling. inspect and the
// reports use these findings. Rows are positions in ExtractedDataset::used.
//
// Up to kMostFlattenedRows images all pairs of flattened rows are compared. More images are compared by the
// average of each channel, and ridge regression works on these averages. Of the pairs that are close so, the
// flattened rows decide.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "head/cancellation.hpp"
#include "head/insight/inspection.hpp"
#include "head/insight/metrics.hpp"
#include "head/matrix.hpp"
#include "head/representation/representation.hpp"
#include "pipeline/rows/extracted_dataset.hpp"
#include "pipeline/rows/stored_rows.hpp"

namespace headstart {

/// Up to so many images the whole Gram matrix of flattened rows is made and decomposed.
inline constexpr std::size_t kMostFlattenedRows = 2000;

/// Predictions for rows that the model did not see, by exact ridge regression on unit-length rows, leaving
/// out each row in turn together with its copies and its group (head/search/ridge.hpp). lambda is the best
/// one by accuracy. Probabilities are softmax(scores / temperature), with the temperature fitted to those
/// scores (head/search/calibration.hpp).
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

/// How the images were compared with each other.
struct Comparison {
  bool flattened = true;  ///< else by the average of each channel
  /// Near-duplicates are looked for among so many nearest images of each; empty: among all.
  std::optional<std::size_t> neighbours{};
  std::optional<double> recall{};  ///< of the index that found the nearest; empty where none was needed
  /// Pairs that were close by their averages, and so many that not all were compared flattened.
  std::size_t not_verified = 0;
};

struct Inspection {
  double threshold = 0.0;  ///< a pair above this cosine is a near-duplicate
  Comparison comparison;
  NearDuplicates near_duplicates;
  OutOfFoldRidge out_of_fold;
  std::vector<SuspectLabel> suspects;
  Outliers outliers;
  Separability separability;
  std::vector<FeatureScore> scores;  ///< by falling score
};

/// How an inspection works.
struct InspectionWork {
  int threads = 0;              ///< 0: all that the process may use; no result depends on it
  Cancellation cancellation{};  ///< obeyed within a second
  /// Told, from any thread, what is done and how much of it.
  std::function<void(std::string_view stage, std::size_t done, std::size_t total)> progress{};
  std::size_t most_flattened = kMostFlattenedRows;
};

/// The images of an inspection.
struct InspectedRows {
  const StoredRows& stored;  ///< the rows of the images come first
  std::span<const std::int32_t> labels;
  int classes = 0;
  /// For each row: rows of one number, 0 or more, are known to belong together.
  std::vector<std::int32_t> groups;
};

/// The average of each channel of the maps `which`, at length one, [which.size(), channels]. Read in parts.
/// @throws std::invalid_argument if a value is not finite; Cancelled
[[nodiscard]] Matrix unit_averages(const StoredRows& stored, std::span<const RowIndex> which,
                                   const InspectionWork& work);

/// For each image of the dataset a number that byte-identical images and images of one group share; below 0
/// for an image that stands alone.
[[nodiscard]] std::vector<std::int32_t> known_groups(const ExtractedDataset& dataset);

/// Makes everything except the scores.
/// @throws std::invalid_argument for fewer than two rows, or for values that are not finite; Cancelled
[[nodiscard]] Inspection inspect_rows(const InspectedRows& rows, double threshold,
                                      const InspectionWork& work = {});

/// LogME of each pooling of one tap's rows. Rows are read and pooled in parts. Above most_flattened rows, or
/// where they take more than a tenth of the memory limit, flattened rows are left out.
/// @param pooled  how rows that come from a file are pooled already; empty: they are maps
/// @throws Cancelled
[[nodiscard]] std::vector<FeatureScore> score_features(const Tap& tap, const InspectedRows& rows,
                                                       std::optional<Pooling> pooled = {},
                                                       const InspectionWork& work = {});

/// The memory that inspect_rows() takes besides the parts of rows that it reads.
/// @param channels  of the tap
[[nodiscard]] std::size_t inspection_bytes(std::size_t rows, std::size_t channels, std::size_t classes,
                                           int threads);

}  // namespace headstart
