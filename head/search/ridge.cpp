// head/search/ridge.cpp: both forms differ in phi and in three numbers only (see the header), so that
// everything after the decomposition is written once.
#include "head/search/ridge.hpp"

#include <Eigen/Cholesky>
#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <stdexcept>
#include <string>
#include <utility>

#include "head/blas.hpp"
#include "head/insight/metrics.hpp"
#include "head/row_moments.hpp"
#include "head/symmetric_eigen.hpp"
#include "head/workers.hpp"

namespace headstart {
namespace {

constexpr int kDefaultLambdas = 25;
constexpr double kLeastLambda = 1e-6;  // relative to the mean squared distance from the centre
constexpr double kMostLambda = 1e3;
constexpr std::size_t kRowsOfUnit = 256;   // that a worker takes at a time; a larger group is taken whole
constexpr std::size_t kRowsAtOnce = 4096;  // that are read at a time

void check_labels(std::span<const std::int32_t> labels, int classes, Eigen::Index rows) {
  if (rows < 2) throw std::invalid_argument("ridge: " + std::to_string(rows) + " rows, needed two or more");
  if (labels.size() != static_cast<std::size_t>(rows)) {
    throw std::invalid_argument("ridge: " + std::to_string(labels.size()) + " labels for " +
                                std::to_string(rows) + " rows");
  }
  for (std::size_t row = 0; row < labels.size(); ++row) {
    if (labels[row] < 0 || labels[row] >= classes) {
      throw std::invalid_argument("ridge: label " + std::to_string(labels[row]) + " of row " +
                                  std::to_string(row) + " is out of range: needed 0 to " +
                                  std::to_string(classes - 1));
    }
  }
}

/// @param side  the rows, or the columns where these are fewer
void check_side(Eigen::Index side) {
  if (static_cast<std::size_t>(side) <= kMaxRidgeSide) return;
  throw std::invalid_argument("ridge: a decomposition of " + std::to_string(side) + " x " +
                              std::to_string(side) + ", needed at most " + std::to_string(kMaxRidgeSide));
}

void check_lambdas(std::span<const double> lambdas) {
  if (lambdas.empty()) throw std::invalid_argument("ridge: there is no lambda");
  for (const double lambda : lambdas) {
    if (!(lambda > 0.0) || !std::isfinite(lambda))
      throw std::invalid_argument("ridge: lambda is " + std::to_string(lambda) +
                                  ", needed a finite value above 0");
  }
}

/// The shares of the classes.
Eigen::RowVectorXd means_of_targets(std::span<const std::int32_t> labels, int classes) {
  Eigen::RowVectorXd means = Eigen::RowVectorXd::Zero(classes);
  for (const std::int32_t label : labels) means(label) += 1.0;
  return means / static_cast<double>(labels.size());
}

}  // namespace

/// The rows in an order in which those that are left out together lie together.
class RidgeRegression::Order {
 public:
  Order(std::size_t rows, std::span<const std::int32_t> groups)
      : rows_(rows), starts_{0}, units_{0}, reads_{0} {
    if (!groups.empty() && groups.size() != rows) {
      throw std::invalid_argument("ridge: " + std::to_string(groups.size()) + " groups for " +
                                  std::to_string(rows) + " rows");
    }
    std::iota(rows_.begin(), rows_.end(), 0);
    const auto group_of = [groups](RowIndex row) {
      return groups.empty() ? -1 : std::max(groups[static_cast<std::size_t>(row)], -1);
    };
    std::stable_sort(rows_.begin(), rows_.end(),
                     [&](RowIndex a, RowIndex b) { return group_of(a) < group_of(b); });
    for (std::size_t at = 1; at <= rows; ++at) {
      const std::int32_t group = group_of(rows_[at - 1]);
      if (at == rows || group < 0 || group_of(rows_[at]) != group) starts_.push_back(at);
    }
    if (starts_.size() == 2) throw std::invalid_argument("ridge: one group holds all rows");
    for (std::size_t set = 0; set + 1 < starts_.size(); ++set) {
      if (set + 2 == starts_.size() || starts_[set + 2] - starts_[units_.back()] > kRowsOfUnit)
        units_.push_back(set + 1);
    }
    for (std::size_t unit = 0; unit + 1 < units_.size(); ++unit) {
      if (unit + 2 == units_.size() || first_row(unit + 2) - first_row(reads_.back()) > kRowsAtOnce)
        reads_.push_back(unit + 1);
    }
  }

  /// A unit is some sets of rows. The rows of a set are left out together.
  [[nodiscard]] std::size_t units() const noexcept { return units_.size() - 1; }
  /// Where a unit's rows begin; units() gives the end.
  [[nodiscard]] std::size_t first_row(std::size_t unit) const { return starts_[units_[unit]]; }
  [[nodiscard]] std::span<const RowIndex> rows_of(std::size_t first_unit, std::size_t end_unit) const {
    return std::span(rows_).subspan(first_row(first_unit), first_row(end_unit) - first_row(first_unit));
  }
  /// Where the sets of a unit begin, relative to its rows, and the end.
  [[nodiscard]] std::vector<Eigen::Index> sets_of(std::size_t unit) const {
    std::vector<Eigen::Index> starts;
    for (std::size_t set = units_[unit]; set <= units_[unit + 1]; ++set)
      starts.push_back(static_cast<Eigen::Index>(starts_[set] - first_row(unit)));
    return starts;
  }
  /// The first units of what is read at a time, and the end.
  [[nodiscard]] const std::vector<std::size_t>& reads() const noexcept { return reads_; }

 private:
  std::vector<RowIndex> rows_;
  std::vector<std::size_t> starts_;  // of sets, in rows_
  std::vector<std::size_t> units_;   // the first set of each unit, in starts_
  std::vector<std::size_t> reads_;   // the first unit of what is read at a time
};

RidgeRegression::RidgeRegression(const Matrix& gram, std::span<const std::int32_t> labels, int classes,
                                 RidgeWork work)
    : work_(std::move(work)), labels_(labels.begin(), labels.end()) {
  if (gram.rows() != gram.cols()) {
    throw std::invalid_argument("ridge: a Gram matrix is square, this one is " + std::to_string(gram.rows()) +
                                " x " + std::to_string(gram.cols()));
  }
  check_side(gram.rows());
  check_labels(labels, classes, gram.rows());
  if (!gram.allFinite())
    throw std::invalid_argument("ridge: the Gram matrix holds a value that is not finite");
  target_means_ = means_of_targets(labels, classes);
  Eigen::MatrixXd centred = Eigen::MatrixXd(gram.cast<double>()).selfadjointView<Eigen::Lower>();
  const Eigen::VectorXd means = centred.rowwise().mean();
  centred.colwise() -= means;
  centred.rowwise() -= means.transpose();
  centred.array() += means.mean();
  decompose(std::move(centred));
}

RidgeRegression::RidgeRegression(RowBlocks rows, std::span<const std::int32_t> labels, int classes,
                                 RidgeWork work)
    : work_(std::move(work)), source_(std::move(rows)), labels_(labels.begin(), labels.end()) {
  check_labels(labels, classes, source_.rows);
  check_side(std::min(source_.rows, source_.columns));
  target_means_ = means_of_targets(labels, classes);
  if (source_.rows > source_.columns) {
    decompose_moments();
    return;
  }
  Workers workers(work_.threads, work_.cancellation);
  decompose(products_of_rows(source_, true, workers));
}

void RidgeRegression::decompose(Eigen::MatrixXd centred_gram) {
  const Eigen::Index n = centred_gram.rows();
  scale_ = std::max(centred_gram.diagonal().mean(), 0.0);
  // The constant vector has eigenvalue 0, and other vectors may have it, too. Here the constant vector gets
  // an eigenvalue above all others, each of which is at most the trace. So this vector comes out last and
  // alone, and is left off.
  const double top = scale_ > 0.0 ? 2.0 * scale_ * static_cast<double>(n) : 1.0;
  centred_gram.array() += top / static_cast<double>(n);
  const SymmetricEigen eigen = decomposed(std::move(centred_gram));
  eigenvalues_ = eigen.values.head(n - 1).cwiseMax(0.0);
  basis_ = eigen.vectors.leftCols(n - 1);
  // U is orthogonal to the constant vector, so Y needs no centring.
  projected_ = RowMajor::Zero(n - 1, target_means_.size());
  for (Eigen::Index row = 0; row < n; ++row)
    projected_.col(labels_[static_cast<std::size_t>(row)]) += basis_.row(row).transpose();
}

void RidgeRegression::decompose_moments() {
  Workers workers(work_.threads, work_.cancellation);
  RowMoments moments(source_.columns, static_cast<int>(target_means_.size()));
  for_each_block(source_, [&](std::span<const RowIndex> which, const Matrix& block) {
    const auto first = static_cast<std::size_t>(which.front());
    moments.add(block, std::span(labels_).subspan(first, which.size()), workers);
    tell(Pass::kSums, first + which.size(), kDefaultLambdas);
  });
  mean_ = moments.mean();
  Eigen::MatrixXd products = moments.centred_products();
  scale_ = std::max(products.trace() / moments.rows(), 0.0);
  const SymmetricEigen eigen = decomposed(std::move(products));
  eigenvalues_ = eigen.values.cwiseMax(0.0);
  basis_ = eigen.vectors;
  const Eigen::MatrixXd centred_sums = moments.class_sums() - moments.counts() * mean_;
  projected_ = basis_.transpose() * centred_sums.transpose();
}

std::vector<double> RidgeRegression::default_lambdas() const {
  const double scale = scale_ > 0.0 ? scale_ : 1.0;
  std::vector<double> lambdas;
  for (int i = 0; i < kDefaultLambdas; ++i) {
    const double share = static_cast<double>(i) / (kDefaultLambdas - 1);
    lambdas.push_back(scale * kLeastLambda * std::pow(kMostLambda / kLeastLambda, share));
  }
  return lambdas;
}

RidgeRegression::Costs RidgeRegression::costs(std::size_t lambdas) const {
  const std::size_t side = by_columns() ? static_cast<std::size_t>(source_.columns) : labels_.size();
  const auto classes = static_cast<std::size_t>(target_means_.size());
  const std::size_t phi = by_columns() ? side * side : side;
  const std::size_t lambda = side * (classes + 2);
  return {.of_row = {by_columns() ? side * side / 2 : 0, phi + lambdas * lambda, phi + lambda},
          .of_decomposition = side * side * side};
}

/// @param visited  rows of this pass
void RidgeRegression::tell(Pass pass, std::size_t visited, std::size_t lambdas) const {
  work_.cancellation.check();
  if (!work_.progress) return;
  const Costs all = costs(lambdas);
  std::size_t done = all.of_row[static_cast<std::size_t>(pass)] * visited;
  for (std::size_t before = 0; before < static_cast<std::size_t>(pass); ++before)
    done += all.of_row[before] * labels_.size();
  if (pass != Pass::kSums) done += all.of_decomposition;
  work_.progress(done, all.sum(labels_.size()));
}

SymmetricEigen RidgeRegression::decomposed(Eigen::MatrixXd matrix) const {
  std::function<void(double)> progress;
  if (work_.progress) {
    progress = [&, all = costs(kDefaultLambdas)](double share) {
      const double of_all = share * static_cast<double>(all.of_decomposition);
      work_.progress(all.of_row[0] * labels_.size() + static_cast<std::size_t>(of_all),
                     all.sum(labels_.size()));
    };
  }
  return symmetric_eigen(std::move(matrix), work_.threads, work_.cancellation, progress);
}

/// phi of some rows. @param block  where phi comes from the rows themselves: these are its rows from `first`
/// on
RidgeRegression::RowMajor RidgeRegression::phi_of(std::span<const RowIndex> which, const Matrix& block,
                                                  Eigen::Index first) const {
  const auto count = static_cast<Eigen::Index>(which.size());
  RowMajor phi(count, eigenvalues_.size());
  if (!by_columns()) {
    for (Eigen::Index i = 0; i < count; ++i) phi.row(i) = basis_.row(which[static_cast<std::size_t>(i)]);
    return phi;
  }
  RowMajor centred = block.middleRows(first, count).cast<double>();
  centred.rowwise() -= mean_;
  multiply(blas_block(std::as_const(centred)), blas_block(std::as_const(basis_)), blas_block(phi));
  return phi;
}

/// The scores of a unit's rows by the fits without them, [rows, classes].
Matrix RidgeRegression::scores_of(const Order& order, std::size_t unit, const RowMajor& phi,
                                  double lambda) const {
  const std::span<const RowIndex> which = order.rows_of(unit, unit + 1);
  const auto n = static_cast<double>(rows());
  // I - S = own H + phi diag(factors) phi^T.
  const double own = by_columns() ? 1.0 : 0.0;
  const Eigen::VectorXd factors =
      (by_columns() ? -1.0 : lambda) * (eigenvalues_.array() + lambda).inverse().matrix();
  const RowMajor weighted = factors.asDiagonal() * projected_;
  RowMajor residual(phi.rows(), target_means_.size());
  multiply(blas_block(phi), blas_block(weighted), blas_block(residual));
  const auto label_of = [&](Eigen::Index i) {
    return labels_[static_cast<std::size_t>(which[static_cast<std::size_t>(i)])];
  };
  for (Eigen::Index i = 0; i < residual.rows(); ++i) {
    residual.row(i) -= own * target_means_;
    residual(i, label_of(i)) += own;
  }

  // Every eigenvalue of I - S is at least this, except that of the constant vector.
  const double least = (1.0 - 1.0 / n) * lambda / (eigenvalues_(eigenvalues_.size() - 1) + lambda);
  const std::vector<Eigen::Index> sets = order.sets_of(unit);
  for (std::size_t set = 0; set + 1 < sets.size(); ++set) {
    const Eigen::Index first = sets[set];
    const Eigen::Index count = sets[set + 1] - first;
    if (count == 1) {
      const double complement =
          own * (1.0 - 1.0 / n) + (phi.row(first).array().square() * factors.transpose().array()).sum();
      residual.row(first) /= std::max(complement, least);
      continue;
    }
    work_.cancellation.check();
    const RowMajor members = phi.middleRows(first, count);
    auto changed = residual.middleRows(first, count);
    if (by_columns() && count > eigenvalues_.size() + 1) {
      // I - S = I - M M^T with few columns M: (I - M M^T)^-1 = I + M (I - M^T M)^-1 M^T.
      RowMajor m(count, eigenvalues_.size() + 1);
      m.col(0).setConstant(1.0 / std::sqrt(n));
      m.rightCols(eigenvalues_.size()) = members * (-factors).cwiseSqrt().asDiagonal();
      RowMajor inner(m.cols(), m.cols());
      multiply(blas_block(std::as_const(m), true), blas_block(std::as_const(m)), blas_block(inner));
      inner = RowMajor::Identity(m.cols(), m.cols()) - inner;
      const RowMajor solved = inner.ldlt().solve(RowMajor(m.transpose() * changed));
      changed += m * solved;
      continue;
    }
    const RowMajor scaled = members * factors.asDiagonal();
    RowMajor complement(count, count);
    multiply(blas_block(scaled), blas_block(members, true), blas_block(complement));
    complement.array() -= own / n;
    complement.diagonal().array() += own;
    changed = RowMajor(complement.ldlt().solve(RowMajor(changed)));
  }
  Matrix scores = (-residual).cast<float>();
  for (Eigen::Index i = 0; i < scores.rows(); ++i)
    scores(i, label_of(i)) = static_cast<float>(1.0 - residual(i, label_of(i)));
  return scores;
}

/// Calls take(unit, phi) for each unit, from the workers.
template <typename Take>
void RidgeRegression::visit(const Order& order, Pass pass, std::size_t lambdas, const Take& take) const {
  Workers workers(work_.threads, work_.cancellation);
  Matrix block;
  for (std::size_t read = 0; read + 1 < order.reads().size(); ++read) {
    const std::size_t first = order.reads()[read];
    const std::size_t end = order.reads()[read + 1];
    if (by_columns()) source_.read(order.rows_of(first, end), block);
    workers.for_each(end - first, [&](std::size_t task) {
      const std::size_t unit = first + task;
      const auto offset = static_cast<Eigen::Index>(order.first_row(unit) - order.first_row(first));
      take(unit, phi_of(order.rows_of(unit, unit + 1), block, offset));
    });
    tell(pass, order.first_row(end), lambdas);
  }
}

RidgeBaseline RidgeRegression::leave_out(std::span<const double> lambdas,
                                         std::span<const std::int32_t> groups) const {
  check_lambdas(lambdas);
  const Order order(rows(), groups);
  std::vector<std::vector<double>> hits(order.units(), std::vector<double>(lambdas.size(), 0.0));
  visit(order, Pass::kAccuracies, lambdas.size(), [&](std::size_t unit, const RowMajor& phi) {
    const std::span<const RowIndex> which = order.rows_of(unit, unit + 1);
    for (std::size_t l = 0; l < lambdas.size(); ++l) {
      const std::vector<std::int32_t> predicted = predicted_classes(scores_of(order, unit, phi, lambdas[l]));
      for (std::size_t i = 0; i < which.size(); ++i)
        hits[unit][l] += predicted[i] == labels_[static_cast<std::size_t>(which[i])] ? 1.0 : 0.0;
    }
  });

  RidgeBaseline result;
  result.lambdas.assign(lambdas.begin(), lambdas.end());
  for (std::size_t l = 0; l < lambdas.size(); ++l) {
    double sum = 0.0;
    for (const std::vector<double>& of_unit : hits) sum += of_unit[l];
    result.accuracies.push_back(sum / static_cast<double>(rows()));
    const double best = result.accuracies[result.best];
    if (result.accuracies[l] > best || (result.accuracies[l] == best && lambdas[l] > lambdas[result.best]))
      result.best = l;
  }
  result.scores.resize(static_cast<Eigen::Index>(rows()), target_means_.size());
  visit(order, Pass::kScores, lambdas.size(), [&](std::size_t unit, const RowMajor& phi) {
    const std::span<const RowIndex> which = order.rows_of(unit, unit + 1);
    const Matrix scores = scores_of(order, unit, phi, lambdas[result.best]);
    for (std::size_t i = 0; i < which.size(); ++i)
      result.scores.row(which[i]) = scores.row(static_cast<Eigen::Index>(i));
  });
  return result;
}

}  // namespace headstart
