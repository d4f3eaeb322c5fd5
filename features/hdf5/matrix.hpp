// features/hdf5/matrix.hpp: reads matrices a few rows at a time, because they may be larger than memory.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "features/hdf5/handle.hpp"

namespace headstart::hdf5 {

/// A matrix of numbers that is read a few rows at a time, converted to float.
class MatrixReader {
 public:
  /// @throws Error if `dataset` is no matrix of floats or integers, or its values lie in other files
  MatrixReader(hid_t parent, const std::string& dataset);
  [[nodiscard]] std::uint64_t rows() const noexcept { return rows_; }
  [[nodiscard]] std::uint64_t columns() const noexcept { return columns_; }
  /// Reads rows first, first + 1, ... @param values  a multiple of the columns; all rows must exist
  void read(std::uint64_t first, std::span<float> values) const;

 private:
  Dataset dataset_;
  std::uint64_t rows_ = 0;
  std::uint64_t columns_ = 0;
  bool is_float16_ = false;
};

}  // namespace headstart::hdf5
