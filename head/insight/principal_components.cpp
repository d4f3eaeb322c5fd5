// head/insight/principal_components.cpp
#include "head/insight/principal_components.hpp"

#include <Eigen/Eigenvalues>
#include <Eigen/QR>
#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "head/random.hpp"

namespace headstart {
namespace {

constexpr Eigen::Index kAxes = 2;
constexpr Eigen::Index kSpare = 8;  // additional directions, so that the two axes are accurate
constexpr int kIterations = 16;

/// (I - 1 1^T / n) K (I - 1 1^T / n): inner products relative to the mean.
Eigen::MatrixXd centred(const Matrix& gram) {
  Eigen::MatrixXd k = gram.cast<double>();
  const Eigen::RowVectorXd means = k.colwise().mean();
  const double mean = means.mean();
  k.rowwise() -= means;
  k.colwise() -= means.transpose();
  k.array() += mean;
  return k;
}

Eigen::MatrixXd orthonormal(const Eigen::MatrixXd& columns) {
  const Eigen::HouseholderQR<Eigen::MatrixXd> qr(columns);
  return qr.householderQ() * Eigen::MatrixXd::Identity(columns.rows(), columns.cols());
}

}  // namespace

PrincipalComponents principal_components(const Matrix& gram) {
  if (gram.rows() == 0 || gram.rows() != gram.cols() || !gram.allFinite())
    throw std::invalid_argument("principal components: the Gram matrix is not square and finite");
  const Eigen::Index rows = gram.rows();
  const Eigen::MatrixXd k = centred(gram);
  const double total = k.trace();

  Random random(0);
  Eigen::MatrixXd basis(rows, std::min(rows, kAxes + kSpare));
  for (Eigen::Index i = 0; i < basis.size(); ++i)
    basis.data()[i] = static_cast<double>(random.uniform()) - 0.5;
  basis = orthonormal(basis);
  for (int iteration = 0; iteration < kIterations; ++iteration) basis = orthonormal(k * basis);
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> small(basis.transpose() * k * basis);

  PrincipalComponents result;
  result.coordinates = Matrix::Zero(rows, kAxes);
  for (Eigen::Index axis = 0; axis < std::min(kAxes, basis.cols()); ++axis) {
    const Eigen::Index which = basis.cols() - 1 - axis;  // eigenvalues are in ascending order
    const double eigenvalue = std::max(0.0, small.eigenvalues()(which));
    Eigen::VectorXd values = basis * small.eigenvectors().col(which) * std::sqrt(eigenvalue);
    Eigen::Index farthest = 0;
    values.cwiseAbs().maxCoeff(&farthest);
    if (values(farthest) < 0.0) values = -values;
    result.coordinates.col(axis) = values.cast<float>();
    if (total > 0.0) result.variance_share[static_cast<std::size_t>(axis)] = eigenvalue / total;
  }
  return result;
}

}  // namespace headstart
