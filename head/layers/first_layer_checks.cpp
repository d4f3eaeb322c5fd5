// head/layers/first_layer_checks.cpp
#include "head/layers/first_layer_checks.hpp"

#include <stdexcept>
#include <string>

namespace headstart {

void check_shape(const char* what, Eigen::Index rows, Eigen::Index columns, std::size_t needed_rows,
                 Eigen::Index needed_columns) {
  if (rows == static_cast<Eigen::Index>(needed_rows) && columns == needed_columns) return;
  throw std::invalid_argument(std::string(what) + ": shape is " + std::to_string(rows) + " x " +
                              std::to_string(columns) + ", needed " + std::to_string(needed_rows) + " x " +
                              std::to_string(needed_columns));
}

void check_rows(std::span<const RowIndex> rows, std::size_t count) {
  for (const RowIndex row : rows) {
    if (row < 0 || static_cast<std::size_t>(row) >= count) {
      throw std::invalid_argument("first layer: row " + std::to_string(row) + " is not one of the " +
                                  std::to_string(count) + " feature rows");
    }
  }
}

void check_state(const FirstLayerState& state, std::size_t numbers, std::span<const std::size_t> floats) {
  const auto refuse = [](const std::string& what, std::size_t found, std::size_t needed) {
    if (found == needed) return;
    throw std::invalid_argument("first layer's state: " + std::to_string(found) + " " + what + ", needed " +
                                std::to_string(needed));
  };
  refuse("numbers", state.numbers.size(), numbers);
  refuse("arrays", state.arrays.size(), floats.size());
  for (std::size_t i = 0; i < floats.size(); ++i)
    refuse("floats in array " + std::to_string(i), state.arrays[i].size(), floats[i]);
}

}  // namespace headstart
