// pipeline/rows/features_npy.hpp: a features file in NumPy's format: NAME.npy has the features alone. Beside
// it lie labels.csv, a line for each row, and NAME.json, what holds for all rows.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "pipeline/rows/npy_matrix.hpp"
#include "pipeline/rows/stored_table.hpp"

namespace headstart {

/// Whether the name of `file` ends with .npy.
[[nodiscard]] bool is_npy_name(const std::filesystem::path& file);

/// The two files beside NAME.npy: labels.csv and NAME.json.
[[nodiscard]] std::vector<std::filesystem::path> files_beside_npy(const std::filesystem::path& file);

/// Checks that files_beside_npy() may be replaced: they are headstart's own, and `file` is the table that
/// they belong to.
/// @throws Error kUsage naming the file that belongs to something else
void check_files_beside_npy(const std::filesystem::path& file);

/// Writes labels.csv and NAME.json.
/// @throws Error kFailed if one can't be written
void write_files_beside_npy(const std::filesystem::path& file, const FeatureTable& table);

class NpyFeatures {
 public:
  /// @throws Error kFailed as NpyMatrix
  explicit NpyFeatures(const std::filesystem::path& file) : path_(file), matrix_(file) {}

  [[nodiscard]] std::uint64_t rows() const noexcept { return matrix_.rows(); }
  [[nodiscard]] std::uint64_t columns() const noexcept { return matrix_.columns(); }
  /// As NpyMatrix::read().
  void read(std::uint64_t first, std::span<float> values) const { matrix_.read(first, values); }
  /// @throws Error kFailed naming the line of labels.csv, or the key of NAME.json
  [[nodiscard]] StoredTable table() const;

 private:
  std::filesystem::path path_;
  NpyMatrix matrix_;
};

}  // namespace headstart
