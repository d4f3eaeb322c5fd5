// head/insight/transferability.cpp
#include "head/insight/transferability.hpp"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <stdexcept>
#include <string>

#include "head/run_unless_cancelled.hpp"

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

/// The header's sums at one t = alpha / beta.
struct Moments {
  double weights = 0.0;    // |m|^2
  double residual = 0.0;   // |X m - y|^2
  double effective = 0.0;  // gamma
  double noise = 0.0;      // n - gamma, summed separately, because gamma may round to n
};

Moments moments_at(const Eigen::ArrayXd& eigenvalues, const Eigen::ArrayXd& squares, double t) {
  const Eigen::ArrayXd denominator = eigenvalues + t;
  return {(eigenvalues * squares / denominator.square()).sum(), (squares * (t / denominator).square()).sum(),
          (eigenvalues / denominator).sum(), (t / denominator).sum()};
}

/// @param squares  z^2 of one class
double evidence_of(const Eigen::ArrayXd& eigenvalues, const Eigen::ArrayXd& squares) {
  const auto n = static_cast<double>(eigenvalues.size());
  const double scale = eigenvalues.sum() > 0.0 ? eigenvalues.mean() : 1.0;
  double t = scale;
  for (int iteration = 0; iteration < kMostIterations; ++iteration) {
    const Moments at = moments_at(eigenvalues, squares, t);
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
  const Moments at = moments_at(eigenvalues, squares, t);
  const double beta = n / (at.residual + t * at.weights);
  const double log_evidence = 0.5 * n * (std::log(beta) - std::log(2.0 * std::numbers::pi) - 1.0) -
                              0.5 * (eigenvalues / t).log1p().sum();
  return log_evidence / n;
}

}  // namespace

double log_maximum_evidence(const Matrix& gram, std::span<const std::int32_t> labels, int classes,
                            std::int64_t columns, const Cancellation& cancellation) {
  check(gram, labels, classes, columns);
  const Eigen::Index n = gram.rows();
  const auto solver = run_unless_cancelled(
      [in_double = Eigen::MatrixXd(gram.cast<double>())] {
        return Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(in_double);
      },
      cancellation);
  if (solver.info() != Eigen::Success)
    throw std::runtime_error("LogME: the eigendecomposition did not converge");
  Eigen::ArrayXd eigenvalues = solver.eigenvalues().array().max(0.0);  // ascending
  if (columns < n) eigenvalues.head(n - static_cast<Eigen::Index>(columns)).setZero();

  double sum = 0.0;
  int present = 0;
  for (int label = 0; label < classes; ++label) {
    Eigen::VectorXd target(n);
    for (Eigen::Index row = 0; row < n; ++row)
      target(row) = labels[static_cast<std::size_t>(row)] == label ? 1.0 : 0.0;
    if (target.isZero(0.0)) continue;
    cancellation.check();
    ++present;
    const Eigen::ArrayXd squares = (solver.eigenvectors().transpose() * target).array().square();
    sum += evidence_of(eigenvalues, squares);
  }
  return sum / present;
}

}  // namespace headstart
