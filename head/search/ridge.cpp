// head/search/ridge.cpp
#include "head/search/ridge.hpp"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <utility>

#include "head/insight/metrics.hpp"
#include "head/run_unless_cancelled.hpp"

namespace headstart {
namespace {

constexpr int kDefaultLambdas = 25;
constexpr double kLeastLambda = 1e-6;  // relative to the mean of the centred Gram matrix's diagonal
constexpr double kMostLambda = 1e3;
constexpr Eigen::Index kBlock = 256;  // rows squared at a time, so that no second n x n matrix is made

void check_gram(const Matrix& gram) {
  if (gram.rows() != gram.cols()) {
    throw std::invalid_argument("ridge: a Gram matrix is square, this one is " + std::to_string(gram.rows()) +
                                " x " + std::to_string(gram.cols()));
  }
  if (gram.rows() < 2 || static_cast<std::size_t>(gram.rows()) > kMaxRidgeRows) {
    throw std::invalid_argument("ridge: " + std::to_string(gram.rows()) + " rows, needed 2 to " +
                                std::to_string(kMaxRidgeRows));
  }
  if (!gram.allFinite())
    throw std::invalid_argument("ridge: the Gram matrix holds a value that is not finite");
}

void check_lambda(double lambda) {
  if (!(lambda > 0.0) || !std::isfinite(lambda))
    throw std::invalid_argument("ridge: lambda is " + std::to_string(lambda) +
                                ", needed a finite value above 0");
}

/// One-hot targets, [n, classes].
Eigen::MatrixXd targets_of(std::span<const std::int32_t> labels, int classes, std::size_t rows) {
  if (labels.size() != rows) {
    throw std::invalid_argument("ridge: " + std::to_string(labels.size()) + " labels for " +
                                std::to_string(rows) + " rows");
  }
  Eigen::MatrixXd targets = Eigen::MatrixXd::Zero(static_cast<Eigen::Index>(rows), std::max(classes, 0));
  for (std::size_t row = 0; row < rows; ++row) {
    if (labels[row] < 0 || labels[row] >= classes) {
      throw std::invalid_argument("ridge: label " + std::to_string(labels[row]) + " of row " +
                                  std::to_string(row) + " is out of range: needed 0 to " +
                                  std::to_string(classes - 1));
    }
    targets(static_cast<Eigen::Index>(row), labels[row]) = 1.0;
  }
  return targets;
}

double accuracy_of(const Matrix& scores, std::span<const std::int32_t> labels) {
  const std::vector<std::int32_t> predictions = predicted_classes(scores);
  double hits = 0.0;
  for (std::size_t row = 0; row < labels.size(); ++row) hits += predictions[row] == labels[row] ? 1.0 : 0.0;
  return hits / static_cast<double>(labels.size());
}

}  // namespace

Matrix RidgePredictor::scores(const Matrix& gram) const {
  if (gram.cols() != coefficients.rows()) {
    throw std::invalid_argument("ridge: " + std::to_string(gram.cols()) + " columns of the Gram matrix for " +
                                std::to_string(coefficients.rows()) + " training rows");
  }
  return ((gram.cast<double>() * coefficients).rowwise() + intercept).cast<float>();
}

RidgeRegression::RidgeRegression(const Matrix& gram, Cancellation cancellation)
    : cancellation_(std::move(cancellation)) {
  check_gram(gram);
  const Eigen::Index n = gram.rows();
  Eigen::MatrixXd centred = Eigen::MatrixXd(gram.cast<double>()).selfadjointView<Eigen::Lower>();
  means_ = centred.rowwise().mean();
  const double mean = means_.mean();
  centred.colwise() -= means_;
  centred.rowwise() -= means_.transpose();
  centred.array() += mean;
  scale_ = std::max(centred.diagonal().mean(), 0.0);

  // The constant vector has eigenvalue 0, and other vectors may have it, too. Here the constant vector gets
  // an eigenvalue above all others, each of which is at most the trace. So this vector comes out last and
  // alone, and is left off.
  const double top = scale_ > 0.0 ? 2.0 * scale_ * static_cast<double>(n) : 1.0;
  centred.array() += top / static_cast<double>(n);
  const auto solver = run_unless_cancelled(
      [centred = std::move(centred)] { return Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(centred); },
      cancellation_);
  if (solver.info() != Eigen::Success)
    throw std::runtime_error("ridge: the eigendecomposition did not converge");
  eigenvalues_ = solver.eigenvalues().head(n - 1).cwiseMax(0.0);
  eigenvectors_ = solver.eigenvectors().leftCols(n - 1);
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

RidgeBaseline RidgeRegression::leave_one_out(std::span<const std::int32_t> labels, int classes,
                                             std::span<const double> lambdas) const {
  const Eigen::MatrixXd targets = targets_of(labels, classes, rows());
  if (lambdas.empty()) throw std::invalid_argument("ridge: there is no lambda");
  for (const double lambda : lambdas) check_lambda(lambda);

  // shrinkage(j, l) = lambda_l / (s_j + lambda_l); complement(i, l) = 1 - S_ii at lambda_l.
  const auto count = static_cast<Eigen::Index>(lambdas.size());
  Eigen::MatrixXd shrinkage(eigenvalues_.size(), count);
  for (Eigen::Index l = 0; l < count; ++l) {
    const double lambda = lambdas[static_cast<std::size_t>(l)];
    shrinkage.col(l) = lambda / (eigenvalues_.array() + lambda);
  }
  const Eigen::Index n = eigenvectors_.rows();
  Eigen::MatrixXd complement(n, count);
  for (Eigen::Index begin = 0; begin < n; begin += kBlock) {
    cancellation_.check();
    const Eigen::Index size = std::min(kBlock, n - begin);
    complement.middleRows(begin, size) = eigenvectors_.middleRows(begin, size).cwiseAbs2() * shrinkage;
  }

  // U^T Y: U is orthogonal to the constant vector, so Y needs no centring.
  const Eigen::MatrixXd projected = eigenvectors_.transpose() * targets;
  RidgeBaseline result;
  result.lambdas.assign(lambdas.begin(), lambdas.end());
  for (Eigen::Index l = 0; l < count; ++l) {
    cancellation_.check();
    Eigen::MatrixXd residual = eigenvectors_ * (shrinkage.col(l).asDiagonal() * projected);
    residual.array().colwise() /= complement.col(l).array();
    const Matrix scores = (targets - residual).cast<float>();
    const double accuracy = accuracy_of(scores, labels);
    result.accuracies.push_back(accuracy);
    const auto index = static_cast<std::size_t>(l);
    const double best = result.accuracies[result.best];
    if (index == 0 || accuracy > best || (accuracy == best && lambdas[index] > lambdas[result.best])) {
      result.best = index;
      result.scores = scores;
    }
  }
  return result;
}

RidgePredictor RidgeRegression::fit(std::span<const std::int32_t> labels, int classes, double lambda) const {
  const Eigen::MatrixXd targets = targets_of(labels, classes, rows());
  check_lambda(lambda);
  const Eigen::VectorXd inverse = (eigenvalues_.array() + lambda).inverse();
  RidgePredictor predictor;
  predictor.coefficients = eigenvectors_ * (inverse.asDiagonal() * (eigenvectors_.transpose() * targets));
  // The coefficients sum to zero. So of the centring of a row's products, only the training rows' own means
  // remain.
  predictor.intercept = targets.colwise().mean() - means_.transpose() * predictor.coefficients;
  return predictor;
}

}  // namespace headstart
