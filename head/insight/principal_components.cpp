// head/insight/principal_components.cpp
#include "head/insight/principal_components.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "head/row_moments.hpp"
#include "head/symmetric_eigen.hpp"
#include "head/workers.hpp"

namespace headstart {
namespace {

constexpr Eigen::Index kAxes = 2;

/// The axes as eigenvectors, and where the drawn rows lie on them.
struct Plane {
  SymmetricEigen eigen;
  Eigen::MatrixXd drawn;  // [drawn, axes]
};

Eigen::MatrixXd last_columns(const SymmetricEigen& eigen) {
  return eigen.vectors.rightCols(std::min(kAxes, eigen.vectors.cols())).rowwise().reverse();
}

/// With K = U diag(s) U^T the coordinates are U sqrt(s).
Plane plane_of_gram(const RowBlocks& rows, std::span<const RowIndex> drawn, Workers& workers, int threads,
                    const Cancellation& cancellation) {
  Plane plane;
  plane.eigen = symmetric_eigen(products_of_rows(rows, true, workers), threads, cancellation);
  const Eigen::MatrixXd axes = last_columns(plane.eigen);
  plane.drawn.resize(static_cast<Eigen::Index>(drawn.size()), axes.cols());
  for (Eigen::Index axis = 0; axis < axes.cols(); ++axis) {
    const double length = std::sqrt(std::max(0.0, plane.eigen.values(rows.rows - 1 - axis)));
    for (std::size_t i = 0; i < drawn.size(); ++i)
      plane.drawn(static_cast<Eigen::Index>(i), axis) = length * axes(drawn[i], axis);
  }
  return plane;
}

/// With X^T X = V diag(s) V^T the coordinates are X V.
Plane plane_of_moments(const RowBlocks& rows, std::span<const RowIndex> drawn, Workers& workers, int threads,
                       const Cancellation& cancellation) {
  const std::vector<std::int32_t> one_class(static_cast<std::size_t>(rows.rows), 0);
  const RowMoments moments = moments_of(rows, one_class, 1, workers);
  Plane plane;
  plane.eigen = symmetric_eigen(moments.centred_products(), threads, cancellation);
  Matrix block;
  rows.read(drawn, block);
  plane.drawn = (block.cast<double>().rowwise() - moments.mean()) * last_columns(plane.eigen);
  return plane;
}

}  // namespace

PrincipalComponents principal_components(const RowBlocks& rows, std::span<const RowIndex> drawn, int threads,
                                         const Cancellation& cancellation) {
  if (rows.rows < 1 || rows.columns < 1)
    throw std::invalid_argument("principal components: " + std::to_string(rows.rows) + " rows of " +
                                std::to_string(rows.columns) + " columns");
  for (const RowIndex row : drawn) {
    if (row < 0 || row >= rows.rows)
      throw std::invalid_argument("principal components: there is no row " + std::to_string(row));
  }
  Workers workers(threads, cancellation);
  Plane plane = rows.rows > rows.columns ? plane_of_moments(rows, drawn, workers, threads, cancellation)
                                         : plane_of_gram(rows, drawn, workers, threads, cancellation);
  const double total = plane.eigen.values.cwiseMax(0.0).sum();
  PrincipalComponents result;
  result.coordinates = Matrix::Zero(plane.drawn.rows(), kAxes);
  for (Eigen::Index axis = 0; axis < plane.drawn.cols(); ++axis) {
    auto values = plane.drawn.col(axis);
    if (values.size() > 0) {
      Eigen::Index farthest = 0;
      values.cwiseAbs().maxCoeff(&farthest);
      if (values(farthest) < 0.0) values = -values;
    }
    result.coordinates.col(axis) = values.cast<float>();
    const double eigenvalue = std::max(0.0, plane.eigen.values(plane.eigen.values.size() - 1 - axis));
    if (total > 0.0) result.variance_share[static_cast<std::size_t>(axis)] = eigenvalue / total;
  }
  return result;
}

}  // namespace headstart
