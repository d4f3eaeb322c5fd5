// pipeline/run/inspection.cpp
#include "pipeline/run/inspection.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>

#include "head/insight/transferability.hpp"
#include "head/layers/kernel_matrix.hpp"
#include "head/layers/softmax_cross_entropy.hpp"
#include "head/layers/solver.hpp"
#include "head/row_blocks.hpp"
#include "head/row_moments.hpp"
#include "head/search/calibration.hpp"
#include "head/search/ridge.hpp"
#include "head/symmetric_eigen.hpp"
#include "memory/enum_names.hpp"
#include "pipeline/rows/represented_rows.hpp"

namespace headstart {
namespace {

/// Scores of ridge regression differ by about 1 at most, so their temperature is far below that of logits.
constexpr TemperatureRange kScoreTemperatures{1e-3, 10.0};
constexpr double kFlattenedShare = 0.1;
constexpr std::int64_t kPartBytes = std::int64_t{64} << 20;  // of rows read at once
constexpr std::int64_t kBytesPerEntry = 8;                   // index and value
constexpr std::size_t kNeighbours = 10;
constexpr std::size_t kMostVerified = 20'000;  // pairs whose flattened rows are read
constexpr std::size_t kPairsAtOnce = 1000;

void tell(const InspectionWork& work, std::string_view stage, std::size_t done, std::size_t total) {
  work.cancellation.check();
  if (work.progress) work.progress(stage, done, total);
}

std::int64_t bytes_of(const StoredRows& stored) { return kBytesPerEntry * stored.layout.nonzeros; }

bool fits_flattened(const InspectedRows& rows, const InspectionWork& work) {
  return rows.labels.size() <= work.most_flattened &&
         static_cast<double>(bytes_of(rows.stored)) <=
             kFlattenedShare * static_cast<double>(available_memory());
}

/// Calls take(first, maps) for one part of the first `total` rows after another.
template <typename Take>
void in_parts(const StoredRows& stored, std::size_t total, std::string_view stage, const InspectionWork& work,
              const Take& take) {
  const auto count = static_cast<std::int64_t>(std::max<std::size_t>(stored.count, 1));
  const std::int64_t of_row = std::max<std::int64_t>(bytes_of(stored) / count, 1);
  const auto part = static_cast<std::size_t>(std::clamp<std::int64_t>(kPartBytes / of_row, 1, 4096));
  std::vector<RowIndex> which;
  for (std::size_t first = 0; first < total; first += part) {
    which.resize(std::min(part, total - first));
    std::iota(which.begin(), which.end(), static_cast<RowIndex>(first));
    take(first, stored.read(which));
    tell(work, stage, first + which.size(), total);
  }
}

/// Dense rows of a sparse matrix.
Matrix expanded(const SparseRows& sparse) {
  Matrix dense(static_cast<Eigen::Index>(sparse.rows()), sparse.columns);
  for (std::size_t row = 0; row < sparse.rows(); ++row) {
    sparse.expand(
        row, {dense.row(static_cast<Eigen::Index>(row)).data(), static_cast<std::size_t>(sparse.columns)});
  }
  return dense;
}

double cosine_of(const SparseRows& rows, std::size_t first, std::size_t second) {
  const auto square = [&](std::size_t row) {
    double sum = 0.0;
    for (const float value : rows.row_values(row))
      sum += static_cast<double>(value) * static_cast<double>(value);
    return sum;
  };
  const auto indices_a = rows.row_indices(first);
  const auto indices_b = rows.row_indices(second);
  double product = 0.0;
  for (std::size_t a = 0, b = 0; a < indices_a.size() && b < indices_b.size();) {
    if (indices_a[a] == indices_b[b]) {
      product += static_cast<double>(rows.row_values(first)[a++]) *
                 static_cast<double>(rows.row_values(second)[b++]);
    } else {
      ++(indices_a[a] < indices_b[b] ? a : b);
    }
  }
  const double squares = square(first) * square(second);
  return squares > 0.0 ? std::clamp(product / std::sqrt(squares), -1.0, 1.0) : 0.0;
}

/// Of candidates the pairs whose flattened rows are above the threshold.
NearDuplicates verified(const InspectedRows& rows, std::vector<NearDuplicate> candidates, double threshold,
                        const InspectionWork& work) {
  std::sort(candidates.begin(), candidates.end(), [](const NearDuplicate& a, const NearDuplicate& b) {
    return std::tuple(a.first, a.second) < std::tuple(b.first, b.second);
  });
  NearDuplicates result;
  for (std::size_t begin = 0; begin < candidates.size(); begin += kPairsAtOnce) {
    const auto part = std::span(candidates).subspan(begin, std::min(kPairsAtOnce, candidates.size() - begin));
    std::vector<RowIndex> which;
    for (const NearDuplicate& pair : part) which.insert(which.end(), {pair.first, pair.second});
    std::sort(which.begin(), which.end());
    which.erase(std::unique(which.begin(), which.end()), which.end());
    const SparseRows maps = rows.stored.read(which);
    const auto place = [&](RowIndex row) {
      return static_cast<std::size_t>(std::lower_bound(which.begin(), which.end(), row) - which.begin());
    };
    for (NearDuplicate& pair : part) {
      pair.cosine = cosine_of(maps, place(pair.first), place(pair.second));
      if (pair.cosine > threshold) result.pairs.push_back(pair);
    }
    tell(work, "compare pairs in full", begin + part.size(), candidates.size());
  }
  std::sort(result.pairs.begin(), result.pairs.end(), [](const NearDuplicate& a, const NearDuplicate& b) {
    return std::tuple(-a.cosine, a.first, a.second) < std::tuple(-b.cosine, b.first, b.second);
  });
  result.total = result.pairs.size();
  result.pairs.resize(std::min(result.pairs.size(), kMostPairs));
  return result;
}

/// Of `rows` as many as the share of the work that is done.
std::size_t share_of(std::size_t rows, std::size_t done, std::size_t total) {
  const double share = static_cast<double>(done) / static_cast<double>(std::max<std::size_t>(total, 1));
  return static_cast<std::size_t>(share * static_cast<double>(rows));
}

RidgeWork ridge_work(const InspectionWork& work, std::size_t rows) {
  return {.threads = work.threads,
          .cancellation = work.cancellation,
          .progress = [&work, rows](std::size_t done, std::size_t total) {
            tell(work, "ridge regression", share_of(rows, done, total), rows);
          }};
}

/// Predictions by ridge regression, into the inspection. @return the probabilities, [rows, classes]
Matrix predict_out_of_fold(Inspection& result, const RidgeRegression& ridge, const InspectedRows& rows) {
  std::vector<std::int32_t> groups = groups_of_copies(result.near_duplicates.pairs, rows.groups);
  // Where all rows belong together, none could be left out with the others.
  const bool together = std::all_of(groups.begin(), groups.end(),
                                    [&](std::int32_t group) { return group >= 0 && group == groups[0]; });
  if (together) groups.clear();
  RidgeBaseline baseline = ridge.leave_out(ridge.default_lambdas(), groups);
  Matrix& scores = baseline.scores;
  OutOfFoldRidge& fold = result.out_of_fold;
  fold.lambda = baseline.lambdas[baseline.best];
  fold.temperature = fit_temperature(scores, rows.labels, kScoreTemperatures);
  scores /= static_cast<float>(fold.temperature);
  fold.metrics = evaluate_logits(scores, rows.labels);
  softmax(scores);
  result.suspects = suspect_labels(scores, rows.labels);
  return std::move(scores);
}

Inspection inspect_flattened(const InspectedRows& rows, double threshold, const InspectionWork& work) {
  Inspection result;
  result.threshold = threshold;
  SparseRows maps;
  in_parts(rows.stored, rows.labels.size(), "read features", work,
           [&](std::size_t, SparseRows&& part) { maps.append(std::move(part)); });
  tell(work, "compare images", 0, rows.labels.size());
  Workers workers(work.threads, work.cancellation);
  const Matrix kernel = kernel_matrix(TiledRows(maps.view(), kTileFeatures), workers);
  result.near_duplicates = near_duplicates(kernel, threshold);
  result.outliers = outliers(kernel, kNeighbours);
  tell(work, "compare images", rows.labels.size(), rows.labels.size());
  const RidgeRegression ridge(unit_kernel_matrix(kernel), rows.labels, rows.classes,
                              ridge_work(work, rows.labels.size()));
  const Matrix probabilities = predict_out_of_fold(result, ridge, rows);
  result.separability = separability(kernel, rows.labels, probabilities);
  return result;
}

/// Near-duplicates and outliers from the nearest neighbours of each row.
void compare_averages(Inspection& result, const Matrix& unit_rows, const InspectedRows& rows,
                      const InspectionWork& work) {
  const std::size_t n = rows.labels.size();
  const Neighbours neighbours =
      nearest_neighbours(unit_rows, {.most = kNeighbours,
                                     .threads = work.threads,
                                     .cancellation = work.cancellation,
                                     .progress = [&](std::size_t done, std::size_t total) {
                                       if (work.progress)
                                         work.progress("compare images", share_of(n, done, total), n);
                                     }});
  Comparison comparison{.flattened = false, .neighbours = neighbours.most, .recall = neighbours.recall};
  result.outliers = outliers(neighbours);
  const bool maps = rows.stored.shape.size() > static_cast<std::size_t>(rows.stored.shape.channels);
  result.near_duplicates = near_duplicates(neighbours, result.threshold, maps ? kMostVerified : kMostPairs);
  if (maps) {
    comparison.not_verified = result.near_duplicates.total - result.near_duplicates.pairs.size();
    result.near_duplicates = verified(rows, std::move(result.near_duplicates.pairs), result.threshold, work);
  }
  result.comparison = comparison;
}

Inspection inspect_averages(const InspectedRows& rows, double threshold, const InspectionWork& work) {
  Inspection result;
  result.threshold = threshold;
  const Matrix unit_rows = unit_averages(rows.stored, all_rows(rows.labels.size()), work);
  compare_averages(result, unit_rows, rows, work);
  const RidgeRegression ridge(blocks_of(unit_rows), rows.labels, rows.classes,
                              ridge_work(work, rows.labels.size()));
  const Matrix probabilities = predict_out_of_fold(result, ridge, rows);
  tell(work, "compare classes", 0, rows.labels.size());
  Workers workers(work.threads, work.cancellation);
  result.separability = separability(blocks_of(unit_rows), rows.labels, probabilities, workers);
  return result;
}

}  // namespace

Matrix unit_averages(const StoredRows& stored, std::span<const RowIndex> which, const InspectionWork& work) {
  constexpr std::size_t kRowsAtOnce = 4096;
  const auto channels = static_cast<std::size_t>(stored.shape.channels);
  Matrix result(static_cast<Eigen::Index>(which.size()), stored.shape.channels);
  for (std::size_t first = 0; first < which.size(); first += kRowsAtOnce) {
    work.cancellation.check();
    tell(work, "read features", first, which.size());
    const auto part = which.subspan(first, std::min(kRowsAtOnce, which.size() - first));
    read_pooled(stored, part, Pooling::kAverage, {result.data() + first * channels, part.size() * channels});
  }
  if (!result.allFinite()) throw std::invalid_argument("inspection: a feature is not finite");
  scale_to_unit_length(result);
  return result;
}

std::vector<std::int32_t> known_groups(const ExtractedDataset& dataset) {
  std::map<std::string, std::int32_t> number_of;
  std::vector<std::int32_t> groups(dataset.used.size(), -1);
  std::map<Sha256, RowIndex> first_of;
  std::vector<NearDuplicate> copies;
  for (std::size_t row = 0; row < dataset.used.size(); ++row) {
    const std::string& group = dataset.manifest.samples[dataset.used[row]].group;
    if (!group.empty())
      groups[row] = number_of.try_emplace(group, static_cast<std::int32_t>(number_of.size())).first->second;
    const auto [first, is_new] =
        first_of.try_emplace(*dataset.content[dataset.used[row]], static_cast<RowIndex>(row));
    if (!is_new) copies.push_back({first->second, static_cast<RowIndex>(row), 1.0});
  }
  return groups_of_copies(copies, groups, dataset.used.size());
}

Inspection inspect_rows(const InspectedRows& rows, double threshold, const InspectionWork& work) {
  return fits_flattened(rows, work) ? inspect_flattened(rows, threshold, work)
                                    : inspect_averages(rows, threshold, work);
}

std::vector<FeatureScore> score_features(const Tap& tap, const InspectedRows& rows,
                                         std::optional<Pooling> pooled, const InspectionWork& work) {
  const std::string stage = "score " + std::string(to_string(tap));
  const int channels = rows.stored.shape.channels;
  const bool maps_given = pooled.value_or(Pooling::kFlatten) == Pooling::kFlatten;
  const bool flattened = maps_given && fits_flattened(rows, work);
  std::vector<std::pair<Pooling, RowMoments>> moments;
  for (const Pooling pooling : named_values<Pooling>()) {
    if (pooling != Pooling::kFlatten && (maps_given || *pooled == pooling))
      moments.emplace_back(pooling, RowMoments(channels, rows.classes));
  }
  SparseRows maps;
  Workers workers(work.threads, work.cancellation);
  in_parts(rows.stored, rows.labels.size(), stage, work, [&](std::size_t first, SparseRows&& part) {
    for (auto& [pooling, of_pooling] : moments) {
      of_pooling.add(expanded(pool(part.view(), channels, pooling, work.threads)),
                     rows.labels.subspan(first, part.rows()), workers);
    }
    if (flattened) maps.append(std::move(part));
  });
  std::vector<FeatureScore> scores;
  for (const auto& [pooling, of_pooling] : moments)
    scores.push_back({tap, pooling, log_maximum_evidence(of_pooling, work.threads, work.cancellation)});
  if (flattened) {
    const Matrix kernel = kernel_matrix(TiledRows(maps.view(), kTileFeatures), workers);
    scores.push_back({tap, Pooling::kFlatten,
                      log_maximum_evidence(kernel, rows.labels, rows.classes, maps.columns, work.threads,
                                           work.cancellation)});
  }
  return scores;
}

std::size_t inspection_bytes(std::size_t rows, std::size_t channels, std::size_t classes, int threads) {
  if (rows <= kMostFlattenedRows) return static_cast<std::size_t>(kRidgeBytesPerPair) * rows * rows;
  // The averages; the scores in three forms; labels, groups and findings of each row.
  const std::size_t of_rows = rows * (channels * sizeof(float) + 3 * classes * sizeof(float) + 128);
  const std::size_t of_channels =
      channels * channels * (static_cast<std::size_t>(kEigenBytesPerElement) + 16);
  return of_rows + of_channels + neighbour_bytes(rows, channels, kNeighbours, threads);
}

}  // namespace headstart
