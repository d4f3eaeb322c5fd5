// pipeline/rows/feature_storage.hpp: an opened features file of either storage, HDF5 or NumPy's format.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <variant>

#include "pipeline/rows/features_hdf5.hpp"
#include "pipeline/rows/features_npy.hpp"
#include "pipeline/rows/stored_table.hpp"

namespace headstart {

class FeatureStorage {
 public:
  /// Opens a .npy file as one, and every other file as HDF5. @throws Error kFailed if it is not that
  explicit FeatureStorage(const std::filesystem::path& file);

  [[nodiscard]] std::uint64_t rows() const;
  [[nodiscard]] std::uint64_t columns() const;
  /// Reads rows first, first + 1, ... as float32. @param values  a multiple of the columns; all rows must
  /// exist
  void read(std::uint64_t first, std::span<float> values) const;
  /// @throws Error kFailed with file and place if there is no table, or it has more rows than the features
  [[nodiscard]] StoredTable table() const;

 private:
  std::variant<Hdf5Features, NpyFeatures> storage_;
};

}  // namespace headstart
