// head/inspection.hpp: what the products of the rows and out-of-fold probabilities say about a labelled set
// before anybody trains on it: copies, wrong labels, strangers, classes that overlap.
//
// Closeness is the cosine K_ij / sqrt(K_ii K_jj), with K = X X^T not centred; a row of zeros is close to
// nothing (cosine 0). Each function streams over K once and keeps little beside it: no second n x n matrix. K
// must be square and finite, with one label a row where labels are taken: std::invalid_argument says what is
// not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "head/feature_rows.hpp"
#include "head/matrix.hpp"

namespace headstart {

/// Two rows that are nearly the same.
struct NearDuplicate {
  RowIndex first = 0;  ///< the lower row
  RowIndex second = 0;
  double cosine = 0.0;
};

struct NearDuplicates {
  std::vector<NearDuplicate> pairs;  ///< by falling cosine, then by rows
  std::size_t total = 0;             ///< pairs found; above pairs.size() where `most` cut the list
};

/// Pairs whose cosine is above `threshold`. A block of m copies makes m (m - 1) / 2 pairs: only the `most`
/// closest are kept.
[[nodiscard]] NearDuplicates near_duplicates(const Matrix& kernel, double threshold = 0.95,
                                             std::size_t most = 10000);

/// A row whose out-of-fold probabilities speak against its label.
struct SuspectLabel {
  RowIndex row = 0;
  std::int32_t label = 0;          ///< as given
  std::int32_t suggested = 0;      ///< the most probable other class
  double self_confidence = 0.0;    ///< probability of the given label
  double normalized_margin = 0.0;  ///< that minus the probability of `suggested`, in [-1, 1]
};

/// Every row whose label is not its most probable class, the most suspect first: by the normalized margin
/// p(label) - max p(other), rising, then by row (confident learning: Northcutt, Jiang and Chuang 2021, arXiv
/// 1911.00068). The other ranking there, by p(label) alone, puts rows that are unclear among all classes
/// beside rows that clearly belong elsewhere.
/// @param probabilities  out-of-fold, [rows, classes]: of a model that did not see the row
[[nodiscard]] std::vector<SuspectLabel> suspect_labels(const Matrix& probabilities,
                                                       std::span<const std::int32_t> labels);

/// A row far from its nearest rows.
struct Outlier {
  RowIndex row = 0;
  double distance = 0.0;  ///< mean cosine distance, 1 - cosine, to the nearest rows
  double score = 0.0;  ///< (distance - median) / (1.4826 MAD): standard deviations, were the distances normal
};

struct Outliers {
  std::vector<Outlier> rows;        ///< every row, the farthest first
  double median = 0.0;              ///< of the distances
  double absolute_deviation = 0.0;  ///< MAD: the median of |distance - median|
};

/// The score above which a row is worth a look, as Leys et al. advise.
inline constexpr double kOutlierScore = 2.5;

/// Each row's mean cosine distance to its `neighbours` nearest other rows (all others, where there are
/// fewer), held against the median absolute deviation (Leys et al. 2013, doi 10.1016/j.jesp.2013.03.013).
/// Where at least half of the distances are the median the deviation is 0, and every score with it.
[[nodiscard]] Outliers outliers(const Matrix& kernel, std::size_t neighbours = 10);

/// How well a class stands apart.
struct ClassSeparability {
  std::size_t rows = 0;
  std::optional<double> within;  ///< mean cosine over pairs of its rows; nothing below two rows
  std::optional<std::int32_t>
      nearest;              ///< the class with the highest mean cosine to it; nothing if there is none
  double to_nearest = 0.0;  ///< that mean cosine
  /// Mean over its rows of (b - a) / max(a, b), with a the mean cosine distance to the class's other rows and
  /// b the lowest mean distance to another class (Rousseeuw 1987, doi 10.1016/0377-0427(87)90125-7); in [-1,
  /// 1], below 0 where rows are closer to another class. 0 for a class of one row, as there.
  double silhouette = 0.0;
};

/// Two classes whose rows are taken for each other.
struct ConfusedClasses {
  std::int32_t first = 0;  ///< the lower class
  std::int32_t second = 0;
  double cosine = 0.0;       ///< mean over pairs of rows, one of each
  std::size_t mistakes = 0;  ///< rows of either whose most probable class, out of fold, is the other
};

struct Separability {
  std::vector<ClassSeparability> classes;  ///< [classes]
  /// Pairs of classes that have rows, the most mistakes first, then the highest cosine.
  std::vector<ConfusedClasses> pairs;
};

/// @param probabilities  out-of-fold, [rows, classes]; its columns give the number of classes
[[nodiscard]] Separability separability(const Matrix& kernel, std::span<const std::int32_t> labels,
                                        const Matrix& probabilities);

}  // namespace headstart
