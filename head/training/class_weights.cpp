// head/training/class_weights.cpp
#include <cstddef>
#include <stdexcept>
#include <string>

#include "head/training/trainer.hpp"

namespace headstart {

std::vector<float> balanced_class_weights(std::span<const std::int32_t> labels,
                                          std::span<const RowIndex> rows, int classes) {
  if (classes < 1)
    throw std::invalid_argument("class weights: found " + std::to_string(classes) + " classes");
  std::vector<std::int64_t> counts(static_cast<std::size_t>(classes), 0);
  for (const RowIndex row : rows) {
    if (row < 0 || static_cast<std::size_t>(row) >= labels.size()) {
      throw std::invalid_argument("class weights: row " + std::to_string(row) + " is not one of the " +
                                  std::to_string(labels.size()) + " labelled rows");
    }
    const std::int32_t label = labels[static_cast<std::size_t>(row)];
    if (label < 0 || label >= classes) {
      throw std::invalid_argument("class weights: label " + std::to_string(label) + " of row " +
                                  std::to_string(row) + " is out of range: needed 0 to " +
                                  std::to_string(classes - 1));
    }
    ++counts[static_cast<std::size_t>(label)];
  }
  std::vector<float> weights;
  for (std::size_t c = 0; c < counts.size(); ++c) {
    if (counts[c] == 0) {
      throw std::invalid_argument("class weights: class " + std::to_string(c) +
                                  " has no training row, so it cannot be balanced");
    }
    const double expected = static_cast<double>(rows.size()) / static_cast<double>(classes);
    weights.push_back(static_cast<float>(expected / static_cast<double>(counts[c])));
  }
  return weights;
}

}  // namespace headstart
