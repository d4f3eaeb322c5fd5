// head/layers/affine_rows.cpp
#include "head/layers/affine_rows.hpp"

#include <algorithm>

#include "head/layers/dense_step.hpp"
#include "head/layers/first_layer_checks.hpp"
#include "memory/aligned_floats.hpp"

namespace headstart {
namespace {

// Calls take(values) for each of `which`.
template <typename Take>
void for_each_row(const AffineRows& rows, std::span<const RowIndex> which, const Take& take) {
  constexpr std::size_t kAtOnce = 64;
  const DenseRoutines routines = best_dense_routines();
  const std::size_t stride = gathered_stride(rows.columns());
  AlignedFloats x(std::min(kAtOnce, which.size()) * stride);
  for (std::size_t first = 0; first < which.size(); first += kAtOnce) {
    const std::span<const RowIndex> part = which.subspan(first, std::min(kAtOnce, which.size() - first));
    routines.gather(rows, part, x.span().data());
    for (std::size_t i = 0; i < part.size(); ++i)
      take(x.span().subspan(i * stride, static_cast<std::size_t>(rows.columns())));
  }
}

}  // namespace

SparseRows sparse_rows_of(const AffineRows& rows, std::span<const RowIndex> which) {
  check_rows(which, rows.count());
  SparseRows result;
  result.columns = rows.columns();
  for_each_row(rows, which, [&](std::span<const float> values) { result.append_dense(values); });
  return result;
}

Matrix matrix_of(const AffineRows& rows, std::span<const RowIndex> which) {
  check_rows(which, rows.count());
  Matrix matrix(static_cast<Eigen::Index>(which.size()), rows.columns());
  Eigen::Index next = 0;
  for_each_row(rows, which, [&](std::span<const float> values) {
    std::copy(values.begin(), values.end(), matrix.row(next++).data());
  });
  return matrix;
}

double sum_of_squares(const AffineRows& rows, std::span<const RowIndex> which) {
  check_rows(which, rows.count());
  double sum = 0.0;
  for_each_row(rows, which, [&](std::span<const float> values) {
    for (const float value : values) sum += static_cast<double>(value) * static_cast<double>(value);
  });
  return sum;
}

}  // namespace headstart
