// pipeline/rows/feature_file_reader.hpp: reads a features.h5 or features.npy (docs/features-file.md). Other
// programs may have changed it, so every count, label and value is checked before training.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

#include "data/sha256.hpp"
#include "memory/sparse_rows.hpp"
#include "pipeline/rows/extracted_dataset.hpp"
#include "pipeline/rows/feature_file.hpp"
#include "pipeline/rows/feature_storage.hpp"
#include "pipeline/rows/stored_rows.hpp"

namespace headstart {

class FeatureFileReader {
 public:
  /// Reads the whole file once, the features a part at a time. Keeps everything except the features.
  /// @throws Error kFailed with file and object or row: the file is no table of features, its parts do not
  /// fit each other, or a feature is not finite
  explicit FeatureFileReader(const std::filesystem::path& file);

  [[nodiscard]] const FeatureTable& table() const noexcept { return table_; }
  /// The SHA-256 of the features as float32.
  [[nodiscard]] const Sha256& digest() const noexcept { return digest_; }
  /// The rows; this reader has to outlive them. Pooled rows are maps of one position, so pooling them again
  /// in the same way changes nothing.
  [[nodiscard]] StoredRows rows() const;

 private:
  void read_table();
  void survey_features();
  [[nodiscard]] MapShape shape_of_row() const;
  [[nodiscard]] SparseRows read(std::span<const RowIndex> rows) const;
  void read_dense(std::span<const RowIndex> rows, std::span<float> dense) const;

  std::filesystem::path path_;
  FeatureStorage features_;
  FeatureTable table_;
  FeatureCache::Layout layout_;
  Sha256 digest_;
  std::size_t rows_at_once_ = 1;  // within the memory that reading may take
};

/// The table in the form of a dataset after stage one: every row is used.
[[nodiscard]] ExtractedDataset dataset_of(const FeatureTable& table);

}  // namespace headstart
