// tests/support/golden.hpp: reads tests/golden/*.h5 (what Keras computed) with HDF5's C API and nothing of
// headstart's own.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace headstart::test {

/// A dataset as float64 values with its shape (float32 and integer datasets convert exactly).
struct GoldenArray {
  std::vector<std::size_t> shape;
  std::vector<double> values;

  [[nodiscard]] std::vector<float> floats() const { return {values.begin(), values.end()}; }
};

/// @param file     name below tests/golden, e.g. "features.h5"
/// @param dataset  e.g. "/norms/block5_pool"; fails the program if it isn't there
[[nodiscard]] GoldenArray golden_array(const std::string& file, const std::string& dataset);
[[nodiscard]] std::vector<std::string> golden_strings(const std::string& file, const std::string& dataset);
/// Numeric attribute of an object as doubles (one entry for a scalar; booleans as 0 or 1).
[[nodiscard]] std::vector<double> golden_attribute(const std::string& file, const std::string& object,
                                                   const std::string& attribute);

/// |a - b| / |b| in the L2 norm; infinite if sizes differ, either is empty or b is all zeros, so that nothing
/// passes by proving nothing.
[[nodiscard]] double relative_l2_error(const std::vector<float>& a, const std::vector<float>& b);
[[nodiscard]] double relative_l2_error(const float* a, const std::vector<float>& b);

/// Path below the source tree.
[[nodiscard]] std::string source_path(const std::string& relative);

}  // namespace headstart::test
