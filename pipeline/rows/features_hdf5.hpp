// pipeline/rows/features_hdf5.hpp: a features file in HDF5: features and table in one file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

#include "features/hdf5/hdf5.hpp"
#include "pipeline/rows/stored_table.hpp"

namespace headstart {

/// Writes attributes and datasets, all but the features.
void write_hdf5_table(hid_t file, const FeatureTable& table);

class Hdf5Features {
 public:
  /// @throws Error kFailed if `file` is no HDF5 file with a matrix `features`
  explicit Hdf5Features(const std::filesystem::path& file);

  [[nodiscard]] std::uint64_t rows() const noexcept { return matrix_.rows(); }
  [[nodiscard]] std::uint64_t columns() const noexcept { return matrix_.columns(); }
  /// As hdf5::MatrixReader::read().
  void read(std::uint64_t first, std::span<float> values) const { matrix_.read(first, values); }
  /// @throws Error kFailed if it is another table, or has more rows than the features
  [[nodiscard]] StoredTable table() const;

 private:
  std::filesystem::path path_;
  hdf5::File file_;
  hdf5::MatrixReader matrix_;
};

}  // namespace headstart
