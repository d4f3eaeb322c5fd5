// head/layers/first_layer_checks.hpp: checks of arguments that every solver of the first layer makes.
#pragma once

#include <cstddef>
#include <span>

#include "head/layers/first_layer.hpp"
#include "head/matrix.hpp"
#include "memory/sparse_rows.hpp"

namespace headstart {

/// @throws std::invalid_argument "`what`: shape is ..., needed ..."
void check_shape(const char* what, Eigen::Index rows, Eigen::Index columns, std::size_t needed_rows,
                 Eigen::Index needed_columns);

/// @throws std::invalid_argument naming the first row that is not in [0, count)
void check_rows(std::span<const RowIndex> rows, std::size_t count);

/// @param numbers  how many numbers the state must have
/// @param floats   how many floats each of its arrays must have
/// @throws std::invalid_argument if the state has other counts
void check_state(const FirstLayerState& state, std::size_t numbers, std::span<const std::size_t> floats);

}  // namespace headstart
