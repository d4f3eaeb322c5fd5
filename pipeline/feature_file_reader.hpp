// pipeline/feature_file_reader.hpp: reads a features.h5 (docs/features-file.md), which may have been through
// other hands: every count, label and value is checked before anybody trains on it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

#include "data/sha256.hpp"
#include "features/hdf5.hpp"
#include "head/feature_rows.hpp"
#include "pipeline/feature_file.hpp"
#include "pipeline/stage_one.hpp"
#include "pipeline/stored_rows.hpp"

namespace headstart {

class FeatureFileReader {
 public:
  /// Reads everything once, the features a part at a time, and keeps all but the features.
  /// @throws Error kFailed naming file and object or row: no features.h5, parts that do not fit each other,
  /// a feature that is not finite
  explicit FeatureFileReader(const std::filesystem::path& file);

  [[nodiscard]] const FeatureTable& table() const noexcept { return table_; }
  /// Of the features, as float32.
  [[nodiscard]] const Sha256& digest() const noexcept { return digest_; }
  /// The rows; this has to outlive them. Pooled ones are maps of one position, so that pooling them the same
  /// way once more changes nothing.
  [[nodiscard]] StoredRows rows() const;

 private:
  void read_table(hid_t file);
  void survey_features();
  [[nodiscard]] MapShape shape_of_row() const;
  [[nodiscard]] CsrRows read(std::span<const RowIndex> rows) const;

  std::filesystem::path path_;
  hdf5::File file_;
  hdf5::MatrixReader features_;
  FeatureTable table_;
  FeatureCache::Layout layout_;
  Sha256 digest_;
  std::size_t rows_at_once_ = 1;  // in the memory that reading may take
};

/// The table as stage one leaves a dataset: every row is used.
[[nodiscard]] ExtractedDataset dataset_of(const FeatureTable& table);

}  // namespace headstart
