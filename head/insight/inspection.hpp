// head/insight/inspection.hpp: finds copies, wrong labels, outliers and overlapping classes in a labelled set
// before training, from the cosines of the rows and from out-of-fold probabilities.
//
// A row of zeros is close to nothing (cosine 0). For some thousand rows the cosines come from the Gram matrix
// K = X X^T, not centred: K_ij / sqrt(K_ii K_jj). Each function reads K once from start to end and makes no
// second n x n matrix. K must be square and finite, with one label a row where labels are taken; otherwise
// std::invalid_argument names the error. For more rows the cosines come from lists of neighbours
// (neighbours.hpp), and from the sums of the classes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "head/insight/neighbours.hpp"
#include "head/matrix.hpp"
#include "head/row_blocks.hpp"
#include "head/workers.hpp"
#include "memory/sparse_rows.hpp"

namespace headstart {

/// Two rows that are nearly the same.
struct NearDuplicate {
  RowIndex first = 0;  ///< the lower row
  RowIndex second = 0;
  double cosine = 0.0;
};

struct NearDuplicates {
  std::vector<NearDuplicate> pairs;  ///< by falling cosine, then by rows
  std::size_t total = 0;             ///< pairs found; more than pairs.size() where `most` cut the list
};

/// Two images whose cosine is above this are near-duplicates, unless the user says otherwise.
inline constexpr double kNearDuplicate = 0.95;

/// So many pairs are kept, unless the caller says otherwise.
inline constexpr std::size_t kMostPairs = 10'000;

/// Pairs whose cosine is above `threshold`. m copies of one image make m (m - 1) / 2 pairs, so only the
/// `most` closest pairs are kept.
[[nodiscard]] NearDuplicates near_duplicates(const Matrix& kernel, double threshold = kNearDuplicate,
                                             std::size_t most = kMostPairs);

/// The pairs among the rows and their neighbours whose cosine is above `threshold`, each pair once. Rows with
/// more near-duplicates than neighbours in the list are in fewer pairs than there are.
[[nodiscard]] NearDuplicates near_duplicates(const Neighbours& neighbours, double threshold = kNearDuplicate,
                                             std::size_t most = kMostPairs);

/// A number for each row, 0 or more for rows that are copies of each other, below 0 for a row without copies.
/// Pairs are joined in their order, the closest first. A pair that would make more than `largest` rows copies
/// of each other is not joined: a chain of similar rows is no set of copies.
/// @param known  [rows]: groups that are joined before, of any size, numbered in the same way
[[nodiscard]] std::vector<std::int32_t> groups_of_copies(const std::vector<NearDuplicate>& pairs,
                                                         std::span<const std::int32_t> known,
                                                         std::size_t largest = 50);

/// A row whose out-of-fold probabilities contradict its label.
struct SuspectLabel {
  RowIndex row = 0;
  std::int32_t label = 0;          ///< as given
  std::int32_t suggested = 0;      ///< the most probable other class
  double self_confidence = 0.0;    ///< probability of the given label
  double normalized_margin = 0.0;  ///< self_confidence minus the probability of `suggested`, in [-1, 1]
};

/// Every row whose label is not its most probable class, the most suspect first. The order is by rising
/// normalized margin p(label) - max p(other), then by row (confident learning: Northcutt, Jiang and Chuang
/// 2021, arXiv 1911.00068). The paper's other ranking, by p(label) alone, mixes two kinds of rows: those
/// unclear among all classes, and those that clearly belong to another class.
/// @param probabilities  out-of-fold, [rows, classes]: of a model that did not see the row
[[nodiscard]] std::vector<SuspectLabel> suspect_labels(const Matrix& probabilities,
                                                       std::span<const std::int32_t> labels);

/// A row far from its nearest rows.
struct Outlier {
  RowIndex row = 0;
  double distance = 0.0;  ///< mean cosine distance, 1 - cosine, to the nearest rows
  /// (distance - median) / (1.4826 MAD): the number of standard deviations if the distances were normally
  /// distributed.
  double score = 0.0;
};

struct Outliers {
  std::vector<Outlier> rows;        ///< every row, the farthest first
  double median = 0.0;              ///< of the distances
  double absolute_deviation = 0.0;  ///< MAD: the median of |distance - median|
};

/// The score above which a row is worth a look; Leys et al. recommend this value.
inline constexpr double kOutlierScore = 2.5;

/// Each row's mean cosine distance to its `neighbours` nearest other rows, or to all others where there are
/// fewer. The score measures the distance in median absolute deviations (Leys et al. 2013, doi
/// 10.1016/j.jesp.2013.03.013). Where at least half of the distances equal the median, the deviation is 0,
/// and every score is 0.
[[nodiscard]] Outliers outliers(const Matrix& kernel, std::size_t neighbours = 10);
/// The same from lists of neighbours.
[[nodiscard]] Outliers outliers(const Neighbours& neighbours);

/// How clearly a class is separated from the others.
struct ClassSeparability {
  std::size_t rows = 0;
  std::optional<double> within;  ///< mean cosine over pairs of its rows; empty below two rows
  /// The class with the highest mean cosine to this class; empty if there is no other class.
  std::optional<std::int32_t> nearest;
  double to_nearest = 0.0;  ///< that mean cosine
  /// Mean over its rows of (b - a) / max(a, b), in [-1, 1] (Rousseeuw 1987, doi
  /// 10.1016/0377-0427(87)90125-7). Here a is the mean cosine distance to the class's other rows, and b is
  /// the lowest mean distance to another class. The silhouette is below 0 where rows are closer to another
  /// class. As in the paper, a class of one row gets 0.
  double silhouette = 0.0;
};

/// Two classes that are confused with each other.
struct ConfusedClasses {
  std::int32_t first = 0;  ///< the lower class
  std::int32_t second = 0;
  double cosine = 0.0;       ///< mean over pairs of rows, one row of each class
  std::size_t mistakes = 0;  ///< rows of one class whose most probable class, out of fold, is the other
};

struct Separability {
  std::vector<ClassSeparability> classes;  ///< [classes]
  /// Pairs of classes that have rows: by falling number of mistakes, then by falling cosine.
  std::vector<ConfusedClasses> pairs;
};

/// @param probabilities  out-of-fold, [rows, classes]; its columns give the number of classes
[[nodiscard]] Separability separability(const Matrix& kernel, std::span<const std::int32_t> labels,
                                        const Matrix& probabilities);
/// The same in two passes over rows: the mean cosine of a row to a class is its product with the mean of the
/// class's unit rows. Takes n d classes steps.
/// @param unit_rows  each of length one, or zero
[[nodiscard]] Separability separability(const RowBlocks& unit_rows, std::span<const std::int32_t> labels,
                                        const Matrix& probabilities, Workers& workers);

}  // namespace headstart
