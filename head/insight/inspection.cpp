// head/insight/inspection.cpp
#include "head/insight/inspection.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>

#include "head/blas.hpp"

namespace headstart {
namespace {

constexpr double kNormalDeviations = 1.4826;  // standard deviation / MAD of a normal distribution

void check_labels(std::span<const std::int32_t> labels, const Matrix& probabilities) {
  if (labels.size() != static_cast<std::size_t>(probabilities.rows())) {
    throw std::invalid_argument("inspection: " + std::to_string(labels.size()) + " labels for " +
                                std::to_string(probabilities.rows()) + " rows of probabilities");
  }
  for (std::size_t row = 0; row < labels.size(); ++row) {
    if (labels[row] < 0 || labels[row] >= probabilities.cols()) {
      throw std::invalid_argument("inspection: label " + std::to_string(labels[row]) + " of row " +
                                  std::to_string(row) + " is out of range: needed 0 to " +
                                  std::to_string(probabilities.cols() - 1));
    }
  }
  if (!probabilities.allFinite()) throw std::invalid_argument("inspection: a probability is not finite");
}

/// The cosines of the rows of X, from K = X X^T.
class Cosines {
 public:
  explicit Cosines(const Matrix& kernel) : kernel_(kernel) {
    if (kernel.rows() != kernel.cols() || kernel.rows() < 1) {
      throw std::invalid_argument("inspection: a kernel matrix of " + std::to_string(kernel.rows()) + " x " +
                                  std::to_string(kernel.cols()));
    }
    if (!kernel.allFinite())
      throw std::invalid_argument("inspection: the kernel matrix holds a value that is not finite");
    const Eigen::ArrayXd squares = kernel.diagonal().cast<double>();
    inverse_norms_ = (squares > 0.0).select(squares.rsqrt(), 0.0);
  }

  [[nodiscard]] Eigen::Index rows() const noexcept { return kernel_.rows(); }
  [[nodiscard]] double operator()(Eigen::Index first, Eigen::Index second) const {
    // Rounding may give values outside [-1, 1].
    return std::clamp(
        static_cast<double>(kernel_(first, second)) * inverse_norms_(first) * inverse_norms_(second), -1.0,
        1.0);
  }

 private:
  const Matrix& kernel_;
  Eigen::ArrayXd inverse_norms_;
};

bool closer(const NearDuplicate& a, const NearDuplicate& b) {
  return std::tuple(-a.cosine, a.first, a.second) < std::tuple(-b.cosine, b.first, b.second);
}

/// Keeps only the `most` closest pairs, in no order.
void keep_closest(std::vector<NearDuplicate>& pairs, std::size_t most) {
  if (pairs.size() <= most) return;
  std::nth_element(pairs.begin(), pairs.begin() + static_cast<std::ptrdiff_t>(most), pairs.end(), closer);
  pairs.resize(most);
}

/// The most probable class other than `label`, in a tie the first; `label` itself where there is no other
/// class.
std::int32_t best_other(const Matrix& probabilities, Eigen::Index row, std::int32_t label) {
  std::int32_t best = label;
  for (std::int32_t c = 0; c < probabilities.cols(); ++c) {
    if (c != label && (best == label || probabilities(row, c) > probabilities(row, best))) best = c;
  }
  return best;
}

double median_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : 0.5 * (values[half - 1] + values[half]);
}

/// The mean cosine distance of a row to its nearest other rows.
double distance_to_nearest(const Cosines& cosines, Eigen::Index row, std::size_t neighbours) {
  std::vector<double> distances;
  for (Eigen::Index other = 0; other < cosines.rows(); ++other) {
    if (other != row) distances.push_back(1.0 - cosines(row, other));
  }
  const std::size_t count = std::min(neighbours, distances.size());
  if (count == 0) return 0.0;
  const auto end = distances.begin() + static_cast<std::ptrdiff_t>(count);
  std::partial_sort(distances.begin(), end, distances.end());
  return std::accumulate(distances.begin(), end, 0.0) / static_cast<double>(count);
}

/// The outliers by the mean distance of each row to its nearest.
Outliers outliers_by(const std::vector<double>& distances) {
  Outliers result;
  result.median = median_of(distances);
  std::vector<double> deviations = distances;
  for (double& distance : deviations) distance = std::abs(distance - result.median);
  result.absolute_deviation = median_of(std::move(deviations));
  for (std::size_t row = 0; row < distances.size(); ++row) {
    const double score = result.absolute_deviation > 0.0 ? (distances[row] - result.median) /
                                                               (kNormalDeviations * result.absolute_deviation)
                                                         : 0.0;
    result.rows.push_back({static_cast<RowIndex>(row), distances[row], score});
  }
  std::stable_sort(result.rows.begin(), result.rows.end(),
                   [](const Outlier& a, const Outlier& b) { return a.distance > b.distance; });
  return result;
}

double silhouette_of(const Eigen::VectorXd& to_class, const std::vector<double>& counts, std::int32_t label) {
  const double own = counts[static_cast<std::size_t>(label)];
  if (own < 2.0) return 0.0;
  double nearest = -std::numeric_limits<double>::infinity();  // highest mean cosine
  for (Eigen::Index c = 0; c < to_class.size(); ++c) {
    const double count = counts[static_cast<std::size_t>(c)];
    if (c != label && count > 0.0) nearest = std::max(nearest, to_class(c) / count);
  }
  if (!std::isfinite(nearest)) return 0.0;
  const double a = 1.0 - to_class(label) / (own - 1.0);
  const double b = 1.0 - nearest;
  const double larger = std::max(a, b);
  return larger > 0.0 ? (b - a) / larger : 0.0;
}

/// Sums of cosines between classes, and silhouettes, gathered row by row.
class ClassSums {
 public:
  ClassSums(std::span<const std::int32_t> labels, Eigen::Index classes)
      : counts_(static_cast<std::size_t>(classes), 0.0),
        cosines_(Eigen::MatrixXd::Zero(classes, classes)),
        silhouettes_(Eigen::VectorXd::Zero(classes)) {
    for (const std::int32_t label : labels) counts_[static_cast<std::size_t>(label)] += 1.0;
  }

  /// @param to_class  [classes]: the sums of a row's cosines to the other rows of each class
  void add(std::int32_t label, const Eigen::VectorXd& to_class) {
    cosines_.col(label) += to_class;
    silhouettes_(label) += silhouette_of(to_class, counts_, label);
  }

  /// @param mistakes  [l, c]: the rows of label l that are taken for c
  [[nodiscard]] Separability separability(const Eigen::MatrixXi& mistakes) const;

 private:
  std::vector<double> counts_;   // [class]
  Eigen::MatrixXd cosines_;      // [class, class]: over ordered pairs of different rows
  Eigen::VectorXd silhouettes_;  // [class]: over its rows
};

Separability ClassSums::separability(const Eigen::MatrixXi& mistakes) const {
  const auto classes = static_cast<std::int32_t>(counts_.size());
  Separability result;
  for (std::int32_t c = 0; c < classes; ++c) {
    const double count = counts_[static_cast<std::size_t>(c)];
    ClassSeparability entry;
    entry.rows = static_cast<std::size_t>(count);
    if (count > 1.0) entry.within = cosines_(c, c) / (count * (count - 1.0));
    if (count > 0.0) entry.silhouette = silhouettes_(c) / count;
    for (std::int32_t other = 0; other < classes && count > 0.0; ++other) {
      const double other_count = counts_[static_cast<std::size_t>(other)];
      if (other == c || other_count == 0.0) continue;
      const double cosine = cosines_(other, c) / (count * other_count);
      if (!entry.nearest || cosine > entry.to_nearest) {
        entry.nearest = other;
        entry.to_nearest = cosine;
      }
      if (other > c) {
        result.pairs.push_back(
            {c, other, cosine, static_cast<std::size_t>(mistakes(c, other) + mistakes(other, c))});
      }
    }
    result.classes.push_back(entry);
  }
  std::stable_sort(result.pairs.begin(), result.pairs.end(),
                   [](const ConfusedClasses& a, const ConfusedClasses& b) {
                     return std::tuple(a.mistakes, a.cosine) > std::tuple(b.mistakes, b.cosine);
                   });
  return result;
}

/// [l, c]: the number of rows of label l whose most probable class is c.
Eigen::MatrixXi mistakes_of(std::span<const std::int32_t> labels, const Matrix& probabilities) {
  Eigen::MatrixXi mistakes = Eigen::MatrixXi::Zero(probabilities.cols(), probabilities.cols());
  for (Eigen::Index row = 0; row < probabilities.rows(); ++row) {
    const std::int32_t label = labels[static_cast<std::size_t>(row)];
    const std::int32_t other = best_other(probabilities, row, label);
    if (probabilities(row, other) > probabilities(row, label)) ++mistakes(label, other);
  }
  return mistakes;
}

}  // namespace

NearDuplicates near_duplicates(const Matrix& kernel, double threshold, std::size_t most) {
  const Cosines cosines(kernel);
  NearDuplicates result;
  for (Eigen::Index first = 0; first < cosines.rows(); ++first) {
    for (Eigen::Index second = first + 1; second < cosines.rows(); ++second) {
      const double cosine = cosines(first, second);
      if (!(cosine > threshold)) continue;
      ++result.total;
      result.pairs.push_back({static_cast<RowIndex>(first), static_cast<RowIndex>(second), cosine});
    }
    if (result.pairs.size() > 2 * most) keep_closest(result.pairs, most);
  }
  keep_closest(result.pairs, most);
  std::sort(result.pairs.begin(), result.pairs.end(), closer);
  return result;
}

NearDuplicates near_duplicates(const Neighbours& neighbours, double threshold, std::size_t most) {
  NearDuplicates result;
  const auto list_of = [&](RowIndex row) {
    return std::span(neighbours.rows)
        .subspan(static_cast<std::size_t>(row) * neighbours.most, neighbours.most);
  };
  for (std::size_t at = 0; at < neighbours.rows.size(); ++at) {
    const auto row = static_cast<RowIndex>(at / neighbours.most);
    const RowIndex other = neighbours.rows[at];
    const double cosine = std::min(static_cast<double>(neighbours.cosines[at]), 1.0);
    if (other < 0 || !(cosine > threshold)) continue;
    const auto back = list_of(other);
    // The other row's list may have this pair as well; the lower row counts it.
    if (other < row && std::find(back.begin(), back.end(), row) != back.end()) continue;
    ++result.total;
    result.pairs.push_back({std::min(row, other), std::max(row, other), cosine});
    if (result.pairs.size() > 2 * most) keep_closest(result.pairs, most);
  }
  keep_closest(result.pairs, most);
  std::sort(result.pairs.begin(), result.pairs.end(), closer);
  return result;
}

std::vector<std::int32_t> groups_of_copies(const std::vector<NearDuplicate>& pairs,
                                           std::span<const std::int32_t> known, std::size_t largest) {
  std::vector<RowIndex> parent(known.size());
  std::iota(parent.begin(), parent.end(), 0);
  std::vector<std::size_t> size(known.size(), 1);
  const auto root_of = [&](RowIndex row) {
    while (parent[static_cast<std::size_t>(row)] != row) {
      RowIndex& up = parent[static_cast<std::size_t>(row)];
      up = parent[static_cast<std::size_t>(up)];
      row = up;
    }
    return row;
  };
  const auto join = [&](RowIndex first, RowIndex second, std::size_t most) {
    const RowIndex a = root_of(first);
    const RowIndex b = root_of(second);
    const std::size_t together = size[static_cast<std::size_t>(a)] + size[static_cast<std::size_t>(b)];
    if (a == b || together > most) return;
    parent[static_cast<std::size_t>(std::max(a, b))] = std::min(a, b);
    size[static_cast<std::size_t>(std::min(a, b))] = together;
  };
  std::map<std::int32_t, RowIndex> first_of;  // known group
  for (std::size_t row = 0; row < known.size(); ++row) {
    if (known[row] < 0) continue;
    const auto [first, is_new] = first_of.try_emplace(known[row], static_cast<RowIndex>(row));
    if (!is_new) join(first->second, static_cast<RowIndex>(row), known.size());
  }
  for (const NearDuplicate& pair : pairs) join(pair.first, pair.second, largest);
  std::vector<std::int32_t> groups(known.size(), -1);
  for (std::size_t row = 0; row < known.size(); ++row) {
    const RowIndex root = root_of(static_cast<RowIndex>(row));
    if (size[static_cast<std::size_t>(root)] > 1) groups[row] = root;
  }
  return groups;
}

std::vector<SuspectLabel> suspect_labels(const Matrix& probabilities, std::span<const std::int32_t> labels) {
  check_labels(labels, probabilities);
  std::vector<SuspectLabel> suspects;
  for (Eigen::Index row = 0; row < probabilities.rows(); ++row) {
    const std::int32_t label = labels[static_cast<std::size_t>(row)];
    const std::int32_t other = best_other(probabilities, row, label);
    const double own = static_cast<double>(probabilities(row, label));
    const double margin = own - static_cast<double>(probabilities(row, other));
    if (margin < 0.0) suspects.push_back({static_cast<RowIndex>(row), label, other, own, margin});
  }
  std::stable_sort(suspects.begin(), suspects.end(), [](const SuspectLabel& a, const SuspectLabel& b) {
    return a.normalized_margin < b.normalized_margin;
  });
  return suspects;
}

Outliers outliers(const Matrix& kernel, std::size_t neighbours) {
  const Cosines cosines(kernel);
  std::vector<double> distances(static_cast<std::size_t>(cosines.rows()));
  for (Eigen::Index row = 0; row < cosines.rows(); ++row)
    distances[static_cast<std::size_t>(row)] = distance_to_nearest(cosines, row, neighbours);
  return outliers_by(distances);
}

Outliers outliers(const Neighbours& neighbours) {
  if (neighbours.most == 0) throw std::invalid_argument("inspection: there are no neighbours");
  std::vector<double> distances(neighbours.rows.size() / neighbours.most);
  for (std::size_t row = 0; row < distances.size(); ++row) {
    double sum = 0.0;
    double count = 0.0;
    for (std::size_t i = row * neighbours.most; i < (row + 1) * neighbours.most; ++i) {
      if (neighbours.rows[i] < 0) continue;
      sum += 1.0 - std::clamp(static_cast<double>(neighbours.cosines[i]), -1.0, 1.0);
      count += 1.0;
    }
    distances[row] = count > 0.0 ? sum / count : 0.0;
  }
  return outliers_by(distances);
}

Separability separability(const Matrix& kernel, std::span<const std::int32_t> labels,
                          const Matrix& probabilities) {
  check_labels(labels, probabilities);
  const Cosines cosines(kernel);
  if (cosines.rows() != probabilities.rows())
    throw std::invalid_argument("inspection: the kernel matrix and the probabilities have different rows");
  ClassSums sums(labels, probabilities.cols());
  Eigen::VectorXd to_class(probabilities.cols());
  for (Eigen::Index row = 0; row < cosines.rows(); ++row) {
    to_class.setZero();
    for (Eigen::Index other = 0; other < cosines.rows(); ++other) {
      if (other != row) to_class(labels[static_cast<std::size_t>(other)]) += cosines(row, other);
    }
    sums.add(labels[static_cast<std::size_t>(row)], to_class);
  }
  return sums.separability(mistakes_of(labels, probabilities));
}

Separability separability(const RowBlocks& unit_rows, std::span<const std::int32_t> labels,
                          const Matrix& probabilities, Workers& workers) {
  using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  constexpr Eigen::Index kRowsOfTask = 256;
  check_labels(labels, probabilities);
  if (unit_rows.rows != probabilities.rows())
    throw std::invalid_argument("inspection: the rows and the probabilities differ in number");
  RowMajor of_class = RowMajor::Zero(probabilities.cols(), unit_rows.columns);
  for_each_block(unit_rows, [&](std::span<const RowIndex> which, const Matrix& block) {
    for (std::size_t i = 0; i < which.size(); ++i) {
      of_class.row(labels[static_cast<std::size_t>(which[i])]) +=
          block.row(static_cast<Eigen::Index>(i)).cast<double>();
    }
  });
  ClassSums sums(labels, probabilities.cols());
  for_each_block(unit_rows, [&](std::span<const RowIndex> which, const Matrix& block) {
    RowMajor to_class(block.rows(), probabilities.cols());
    const auto tasks = static_cast<std::size_t>((block.rows() + kRowsOfTask - 1) / kRowsOfTask);
    workers.for_each(tasks, [&](std::size_t task) {
      const Eigen::Index first = static_cast<Eigen::Index>(task) * kRowsOfTask;
      const Eigen::Index count = std::min(kRowsOfTask, block.rows() - first);
      const RowMajor rows = block.middleRows(first, count).cast<double>();
      multiply(blas_block(rows), blas_block(std::as_const(of_class), true),
               {to_class.row(first).data(), count, to_class.cols(), to_class.cols()});
      for (Eigen::Index i = 0; i < count; ++i) {
        const auto row = static_cast<std::size_t>(which[static_cast<std::size_t>(first + i)]);
        to_class(first + i, labels[row]) -= rows.row(i).squaredNorm();  // the row itself
      }
    });
    for (std::size_t i = 0; i < which.size(); ++i)
      sums.add(labels[static_cast<std::size_t>(which[i])],
               to_class.row(static_cast<Eigen::Index>(i)).transpose());
  });
  return sums.separability(mistakes_of(labels, probabilities));
}

}  // namespace headstart
