// pipeline/run/inspection.cpp
#include "pipeline/run/inspection.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "head/insight/transferability.hpp"
#include "head/layers/kernel_matrix.hpp"
#include "head/layers/softmax_cross_entropy.hpp"
#include "head/layers/solver.hpp"
#include "head/search/calibration.hpp"
#include "head/search/ridge.hpp"
#include "memory/enum_names.hpp"

namespace headstart {
namespace {

/// Scores of ridge regression differ by about 1 at most, so their temperature is far below that of logits.
constexpr TemperatureRange kScoreTemperatures{1e-3, 10.0};
constexpr double kMemoryShare = 0.4;
constexpr double kFlattenedShare = 0.1;
constexpr std::size_t kPartBytes = std::size_t{256} << 20;  // of rows read at once
constexpr std::size_t kBytesPerEntry = 8;                   // index and value

double bytes_of(const SparseRows& matrix) {
  return static_cast<double>(kBytesPerEntry) * static_cast<double>(matrix.values.size());
}

}  // namespace

Inspection inspect_rows(const Matrix& kernel, std::span<const std::int32_t> labels, int classes,
                        double threshold, const Cancellation& cancellation) {
  Inspection result;
  result.threshold = threshold;
  result.near_duplicates = near_duplicates(kernel, threshold);
  result.outliers = outliers(kernel);

  const RidgeRegression ridge(unit_kernel_matrix(kernel), cancellation);
  RidgeBaseline baseline = ridge.leave_one_out(labels, classes, ridge.default_lambdas());
  Matrix& scores = baseline.scores;
  OutOfFoldRidge& fold = result.out_of_fold;
  fold.lambda = baseline.lambdas[baseline.best];
  fold.temperature = fit_temperature(scores, labels, kScoreTemperatures);
  scores /= static_cast<float>(fold.temperature);
  fold.metrics = evaluate_logits(scores, labels);
  softmax(scores);
  result.suspects = suspect_labels(scores, labels);
  result.separability = separability(kernel, labels, scores);
  return result;
}

std::vector<FeatureScore> score_features(const Tap& tap, MapShape shape, const ReadRows& read,
                                         std::span<const Sha256> keys, std::span<const std::int32_t> labels,
                                         int classes, int threads, const Cancellation& cancellation) {
  const double most_bytes = kFlattenedShare * static_cast<double>(available_memory());
  std::vector<std::pair<Pooling, SparseRows>> pooled;
  for (const Pooling pooling : named_values<Pooling>()) {
    if (pooling != Pooling::kFlatten) pooled.emplace_back(pooling, SparseRows());
  }
  pooled.emplace_back(Pooling::kFlatten, SparseRows());  // last, because it is left out if it is too large
  const std::size_t part = std::max<std::size_t>(kPartBytes / (shape.size() * kBytesPerEntry), 1);
  for (std::size_t begin = 0; begin < keys.size(); begin += part) {
    const SparseRows rows = read(keys.subspan(begin, std::min(part, keys.size() - begin)));
    for (auto& [pooling, matrix] : pooled) matrix.append(pool(rows.view(), shape.channels, pooling, threads));
    const auto& [last, matrix] = pooled.back();
    if (last == Pooling::kFlatten && bytes_of(matrix) > most_bytes) pooled.pop_back();
  }

  std::vector<FeatureScore> scores;
  for (const auto& [pooling, matrix] : pooled) {
    Workers workers(threads, cancellation);
    const Matrix kernel = kernel_matrix(TiledRows(matrix.view(), kTileFeatures), workers);
    scores.push_back(
        {tap, pooling, log_maximum_evidence(kernel, labels, classes, matrix.columns, cancellation)});
  }
  return scores;
}

std::size_t most_inspected_rows() {
  const double rows = std::sqrt(kMemoryShare * static_cast<double>(available_memory()) / kRidgeBytesPerPair);
  return std::min(kMaxRidgeRows, static_cast<std::size_t>(rows));
}

}  // namespace headstart
