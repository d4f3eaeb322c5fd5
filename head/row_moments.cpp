// head/row_moments.cpp: the workers share X^T X out by strips of its rows, so every element has one order of
// summation.
#include "head/row_moments.hpp"

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <string>

#include "head/blas.hpp"

namespace headstart {
namespace {

using RowMajorDouble = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr Eigen::Index kStrip = 128;

/// Calls strip(first, size) for strips of `sides` rows of a lower triangle. Later strips are longer, so tasks
/// take them from both ends in turn.
template <typename Strip>
void for_each_strip(Eigen::Index sides, Workers& workers, const Strip& strip) {
  const auto strips = static_cast<std::size_t>((sides + kStrip - 1) / kStrip);
  workers.for_each(strips, [&](std::size_t task) {
    const std::size_t at = task % 2 == 0 ? task / 2 : strips - 1 - task / 2;
    const Eigen::Index first = static_cast<Eigen::Index>(at) * kStrip;
    strip(first, std::min(kStrip, sides - first));
  });
}

/// The whole of a symmetric matrix whose lower triangle is given.
Eigen::MatrixXd mirrored(const RowMajorDouble& lower) {
  return Eigen::MatrixXd(lower.selfadjointView<Eigen::Lower>());
}

}  // namespace

RowMoments::RowMoments(Eigen::Index columns, int classes)
    : counts_(Eigen::VectorXd::Zero(std::max(classes, 0))),
      sums_(Eigen::MatrixXd::Zero(std::max(classes, 0), columns)),
      products_(RowMajor::Zero(columns, columns)) {
  if (columns < 1) throw std::invalid_argument("moments: the rows have no column");
}

void RowMoments::add(const Matrix& block, std::span<const std::int32_t> labels, Workers& workers) {
  if (block.cols() != columns() || static_cast<std::size_t>(block.rows()) != labels.size()) {
    throw std::invalid_argument("moments: a block of " + std::to_string(block.rows()) + " x " +
                                std::to_string(block.cols()) + " with " + std::to_string(labels.size()) +
                                " labels, needed " + std::to_string(columns()) + " columns");
  }
  for (const std::int32_t label : labels) {
    if (label < 0 || label >= counts_.size()) {
      throw std::invalid_argument("moments: label " + std::to_string(label) +
                                  " is out of range: needed 0 to " + std::to_string(counts_.size() - 1));
    }
  }
  if (!block.allFinite()) throw std::invalid_argument("moments: a value is not finite");
  if (block.rows() == 0) return;
  if (origin_.size() == 0) origin_ = block.cast<double>().colwise().mean();
  RowMajor shifted = block.cast<double>();
  shifted.rowwise() -= origin_;
  for (std::size_t row = 0; row < labels.size(); ++row) {
    counts_(labels[row]) += 1.0;
    sums_.row(labels[row]) += shifted.row(static_cast<Eigen::Index>(row));
  }
  for_each_strip(columns(), workers, [&](Eigen::Index first, Eigen::Index size) {
    const BlasBlock<const double> strip{shifted.data() + first, shifted.rows(), size, columns(), true};
    const BlasBlock<const double> before{shifted.data(), shifted.rows(), first + size, columns(), false};
    multiply(strip, before, {products_.row(first).data(), size, first + size, columns()}, 1.0);
  });
}

Eigen::MatrixXd RowMoments::centred_products() const {
  const Eigen::RowVectorXd sum = sums_.colwise().sum();
  Eigen::MatrixXd result = mirrored(products_);
  result.noalias() -= sum.transpose() * (sum / rows());
  return result;
}

Eigen::MatrixXd RowMoments::products() const {
  const Eigen::RowVectorXd centre = mean();
  Eigen::MatrixXd result = centred_products();
  result.noalias() += rows() * (centre.transpose() * centre);
  return result;
}

RowMoments moments_of(const RowBlocks& rows, std::span<const std::int32_t> labels, int classes,
                      Workers& workers) {
  if (static_cast<std::size_t>(rows.rows) != labels.size()) {
    throw std::invalid_argument("moments: " + std::to_string(labels.size()) + " labels for " +
                                std::to_string(rows.rows) + " rows");
  }
  RowMoments moments(rows.columns, classes);
  for_each_block(rows, [&](std::span<const RowIndex> which, const Matrix& block) {
    moments.add(block, labels.subspan(static_cast<std::size_t>(which.front()), which.size()), workers);
  });
  return moments;
}

Eigen::MatrixXd products_of_rows(const RowBlocks& rows, bool centred, Workers& workers) {
  RowMajorDouble x(rows.rows, rows.columns);
  for_each_block(rows, [&](std::span<const RowIndex> which, const Matrix& block) {
    if (!block.allFinite()) throw std::invalid_argument("products of rows: a value is not finite");
    x.middleRows(which.front(), block.rows()) = block.cast<double>();
  });
  if (centred && rows.rows > 0) {
    const Eigen::RowVectorXd mean = x.colwise().mean();
    x.rowwise() -= mean;
  }
  RowMajorDouble products(rows.rows, rows.rows);
  for_each_strip(rows.rows, workers, [&](Eigen::Index first, Eigen::Index size) {
    const BlasBlock<const double> strip{x.row(first).data(), size, x.cols(), x.cols(), false};
    const BlasBlock<const double> before{x.data(), first + size, x.cols(), x.cols(), true};
    multiply(strip, before, {products.row(first).data(), size, first + size, rows.rows});
  });
  return mirrored(products);
}

}  // namespace headstart
