// head/insight/transferability.cpp
#include "head/insight/transferability.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <stdexcept>
#include <string>
#include <vector>

#include "head/symmetric_eigen.hpp"

namespace headstart {
namespace {

constexpr int kMostIterations = 1000;
constexpr double kTolerance = 1e-6;
// Bounds of alpha / beta, relative to the mean eigenvalue. The optimum is infinite where the features explain
// nothing (the weights vanish). The optimum is zero where the features explain everything (the noise
// vanishes). The evidence is flat there.
constexpr double kLeastRatio = 1e-12;
constexpr double kMostRatio = 1e12;

void check(const Matrix& gram, std::span<const std::int32_t> labels, int classes, std::int64_t columns) {
  if (gram.rows() != gram.cols() || gram.rows() < 1 ||
      static_cast<std::size_t>(gram.rows()) != labels.size()) {
    throw std::invalid_argument("LogME: a Gram matrix of " + std::to_string(gram.rows()) + " x " +
                                std::to_string(gram.cols()) + " for " + std::to_string(labels.size()) +
                                " labels");
  }
  if (columns < 1) throw std::invalid_argument("LogME: the features have no column");
  for (std::size_t row = 0; row < labels.size(); ++row) {
    if (labels[row] < 0 || labels[row] >= classes) {
      throw std::invalid_argument("LogME: label " + std::to_string(labels[row]) + " of row " +
                                  std::to_string(row) + " is out of range: needed 0 to " +
                                  std::to_string(classes - 1));
    }
  }
  if (!gram.allFinite())
    throw std::invalid_argument("LogME: the Gram matrix holds a value that is not finite");
}

// Eigenvalues of X^T X below this share of the largest are taken for 0: their z would be rounding alone.
constexpr double kLeastEigenvalue = 1e-13;

/// One class in the basis of the eigenvectors.
struct Spectrum {
  Eigen::ArrayXd eigenvalues;  // s
  Eigen::ArrayXd squares;      // z^2
  double rows = 0.0;           // n; the rows beyond the eigenvalues have eigenvalue 0
  double rest = 0.0;           // the sum of z^2 over those
};

/// The header's sums at one t = alpha / beta.
struct EvidenceSums {
  double weights = 0.0;    // |m|^2
  double residual = 0.0;   // |X m - y|^2
  double effective = 0.0;  // gamma
  double noise = 0.0;      // n - gamma, summed separately, because gamma may round to n
};

EvidenceSums sums_at(const Spectrum& of, double t) {
  const Eigen::ArrayXd denominator = of.eigenvalues + t;
  return {(of.eigenvalues * of.squares / denominator.square()).sum(),
          (of.squares * (t / denominator).square()).sum() + of.rest, (of.eigenvalues / denominator).sum(),
          (t / denominator).sum() + (of.rows - static_cast<double>(of.eigenvalues.size()))};
}

double evidence_of(const Spectrum& of) {
  const double n = of.rows;
  const double total = of.eigenvalues.sum();
  const double scale = total > 0.0 ? total / n : 1.0;
  double t = scale;
  for (int iteration = 0; iteration < kMostIterations; ++iteration) {
    const EvidenceSums at = sums_at(of, t);
    const double alpha = at.effective / at.weights;  // infinite where the features explain nothing
    const double beta = at.noise / at.residual;
    const double ratio = at.weights > 0.0 ? alpha / beta : kMostRatio * scale;
    const double next = std::clamp(ratio, kLeastRatio * scale, kMostRatio * scale);
    const bool converged = std::abs(next - t) <= kTolerance * t;
    t = next;
    if (converged) break;
  }
  // Uses the best beta for this t. Then the evidence is the same formula with n in place of
  // beta |X m - y|^2 + alpha |m|^2.
  const EvidenceSums at = sums_at(of, t);
  const double beta = n / (at.residual + t * at.weights);
  const double log_evidence = 0.5 * n * (std::log(beta) - std::log(2.0 * std::numbers::pi) - 1.0) -
                              0.5 * (of.eigenvalues / t).log1p().sum();
  return log_evidence / n;
}

}  // namespace

double log_maximum_evidence(const Matrix& gram, std::span<const std::int32_t> labels, int classes,
                            std::int64_t columns, int threads, const Cancellation& cancellation) {
  check(gram, labels, classes, columns);
  const Eigen::Index n = gram.rows();
  const SymmetricEigen eigen = symmetric_eigen(gram.cast<double>(), threads, cancellation);
  Spectrum spectrum{eigen.values.array().max(0.0), {}, static_cast<double>(n)};  // ascending
  if (columns < n) spectrum.eigenvalues.head(n - static_cast<Eigen::Index>(columns)).setZero();

  Eigen::MatrixXd projected = Eigen::MatrixXd::Zero(n, classes);  // U^T Y
  for (Eigen::Index row = 0; row < n; ++row)
    projected.col(labels[static_cast<std::size_t>(row)]) += eigen.vectors.row(row).transpose();
  std::vector<bool> present(static_cast<std::size_t>(classes));
  for (const std::int32_t label : labels) present[static_cast<std::size_t>(label)] = true;
  double sum = 0.0;
  for (int label = 0; label < classes; ++label) {
    if (!present[static_cast<std::size_t>(label)]) continue;
    cancellation.check();
    spectrum.squares = projected.col(label).array().square();
    sum += evidence_of(spectrum);
  }
  return sum / static_cast<double>(std::count(present.begin(), present.end(), true));
}

double log_maximum_evidence(const RowMoments& moments, int threads, const Cancellation& cancellation) {
  if (!(moments.rows() > 0.0)) throw std::invalid_argument("LogME: there is no row");
  const SymmetricEigen eigen = symmetric_eigen(moments.products(), threads, cancellation);
  const Eigen::MatrixXd projected = eigen.vectors.transpose() * moments.class_sums().transpose();
  // X^T X has no more eigenvalues above 0 than rows.
  const Eigen::Index d = eigen.values.size();
  const double largest = eigen.values(d - 1);
  Eigen::Index kept = 0;
  while (kept < d && static_cast<double>(kept) < moments.rows() &&
         eigen.values(d - 1 - kept) > kLeastEigenvalue * largest) {
    ++kept;
  }
  Spectrum spectrum{eigen.values.tail(kept), {}, moments.rows()};
  double sum = 0.0;
  int present = 0;
  for (Eigen::Index label = 0; label < moments.counts().size(); ++label) {
    const double square = moments.counts()(label);  // |y|^2
    if (square == 0.0) continue;
    cancellation.check();
    spectrum.squares = projected.col(label).tail(kept).array().square() / spectrum.eigenvalues;
    spectrum.rest = std::max(0.0, square - spectrum.squares.sum());
    sum += evidence_of(spectrum);
    ++present;
  }
  return sum / present;
}

}  // namespace headstart
