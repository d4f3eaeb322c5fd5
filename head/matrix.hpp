// head/matrix.hpp: the one dense matrix type of headstart: float, row-major.
#pragma once

#include <Eigen/Core>

namespace headstart {

/// [rows, columns], row after row.
using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
/// [columns].
using RowVector = Eigen::Matrix<float, 1, Eigen::Dynamic, Eigen::RowMajor>;

}  // namespace headstart
