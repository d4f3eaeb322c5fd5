// head/insight/inspection.cpp
#include "head/insight/inspection.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <string>
#include <tuple>

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

/// Sums of cosines between classes, and silhouettes, gathered row by row.
struct ClassSums {
  Eigen::MatrixXd cosines;      // [class, class]: over ordered pairs of different rows
  Eigen::VectorXd silhouettes;  // [class]: over its rows
};

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

ClassSums sum_over_rows(const Cosines& cosines, std::span<const std::int32_t> labels,
                        const std::vector<double>& counts) {
  const auto classes = static_cast<Eigen::Index>(counts.size());
  ClassSums sums{Eigen::MatrixXd::Zero(classes, classes), Eigen::VectorXd::Zero(classes)};
  Eigen::VectorXd to_class(classes);
  for (Eigen::Index row = 0; row < cosines.rows(); ++row) {
    to_class.setZero();
    for (Eigen::Index other = 0; other < cosines.rows(); ++other) {
      if (other != row) to_class(labels[static_cast<std::size_t>(other)]) += cosines(row, other);
    }
    const std::int32_t label = labels[static_cast<std::size_t>(row)];
    sums.cosines.col(label) += to_class;
    sums.silhouettes(label) += silhouette_of(to_class, counts, label);
  }
  return sums;
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
  Outliers result;
  std::vector<double> distances(static_cast<std::size_t>(cosines.rows()));
  for (Eigen::Index row = 0; row < cosines.rows(); ++row)
    distances[static_cast<std::size_t>(row)] = distance_to_nearest(cosines, row, neighbours);
  result.median = median_of(distances);
  std::vector<double> deviations = distances;
  for (double& distance : deviations) distance = std::abs(distance - result.median);
  result.absolute_deviation = median_of(deviations);
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

Separability separability(const Matrix& kernel, std::span<const std::int32_t> labels,
                          const Matrix& probabilities) {
  check_labels(labels, probabilities);
  const Cosines cosines(kernel);
  if (cosines.rows() != probabilities.rows())
    throw std::invalid_argument("inspection: the kernel matrix and the probabilities have different rows");
  const auto classes = static_cast<std::int32_t>(probabilities.cols());
  std::vector<double> counts(static_cast<std::size_t>(classes), 0.0);
  for (const std::int32_t label : labels) counts[static_cast<std::size_t>(label)] += 1.0;
  const ClassSums sums = sum_over_rows(cosines, labels, counts);
  const Eigen::MatrixXi mistakes = mistakes_of(labels, probabilities);

  Separability result;
  for (std::int32_t c = 0; c < classes; ++c) {
    const double count = counts[static_cast<std::size_t>(c)];
    ClassSeparability entry;
    entry.rows = static_cast<std::size_t>(count);
    if (count > 1.0) entry.within = sums.cosines(c, c) / (count * (count - 1.0));
    if (count > 0.0) entry.silhouette = sums.silhouettes(c) / count;
    for (std::int32_t other = 0; other < classes && count > 0.0; ++other) {
      const double other_count = counts[static_cast<std::size_t>(other)];
      if (other == c || other_count == 0.0) continue;
      const double cosine = sums.cosines(other, c) / (count * other_count);
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

}  // namespace headstart
