// head/layers/step_block.cpp
#include "head/layers/step_block.hpp"

#include <algorithm>
#include <utility>

namespace headstart {

StepBlock::StepBlock(std::span<const RowIndex> rows, Matrix kernel)
    : rows_(rows.begin(), rows.end()), kernel_(std::move(kernel)) {}

bool StepBlock::continues(std::span<const RowIndex> rows) const {
  return planned() && !rows.empty() && rows.size() <= rows_.size() - done() &&
         std::equal(rows.begin(), rows.end(), rows_.begin() + static_cast<std::ptrdiff_t>(done()));
}

void StepBlock::add(std::span<const RowIndex> batch, const SgdStep& sgd) {
  if (!planned()) rows_.assign(batch.begin(), batch.end());
  for (Coordinates& row : of_rows_) row = after_step(row, 0.0, sgd);
  of_rows_.resize(of_rows_.size() + batch.size(), after_step({}, 1.0, sgd));
  of_kernel_ = after_step(of_kernel_, 0.0, sgd);
  of_velocity_ = after_step(of_velocity_, 0.0, sgd);
}

Matrix StepBlock::kernel_of_last(std::size_t count) const {
  const auto first = static_cast<Eigen::Index>(done() - count);
  return kernel_.block(first, first, static_cast<Eigen::Index>(count), static_cast<Eigen::Index>(count));
}

Matrix StepBlock::weights(std::size_t count, double Coordinates::*which) const {
  const auto columns = static_cast<Eigen::Index>(done());
  Matrix weights = kernel_.block(columns, 0, static_cast<Eigen::Index>(count), columns);
  for (Eigen::Index r = 0; r < columns; ++r)
    weights.col(r) *= static_cast<float>(of_rows_[static_cast<std::size_t>(r)].*which);
  return weights;
}

Matrix StepBlock::weights_in_kernel(std::size_t count) const { return weights(count, &Coordinates::w); }
Matrix StepBlock::weights_in_velocity(std::size_t count) const { return weights(count, &Coordinates::v); }

}  // namespace headstart
