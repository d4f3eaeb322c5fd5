// pipeline/rows/represented_rows.hpp: from stored activations to the rows that a head trains on, and to the
// rows that a saved model's first Dense layer takes. The two differ if a transform is folded into that layer,
// so both are made here. Rows that don't fit in memory are read again for each use.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "head/representation/dense_representation.hpp"
#include "head/representation/representation.hpp"
#include "head/training/row_source.hpp"
#include "head/training/trainer.hpp"
#include "memory/dense_rows.hpp"
#include "memory/sparse_rows.hpp"
#include "pipeline/rows/stored_rows.hpp"

namespace headstart {

/// The input of a saved model's first Dense layer: stored rows after pooling, at length one if the transform
/// is unit. scale and standardize are in the layer's weights. For pooled rows the maps are read in parts, so
/// that they are never in memory together.
[[nodiscard]] SparseRows model_rows(const StoredRows& stored, std::span<const RowIndex> rows,
                                    const Representation& representation);

/// Logits of stored rows by a saved model's head; the rows are read in parts.
/// @return [rows.size(), classes]
[[nodiscard]] Matrix model_logits(const StoredRows& stored, std::span<const RowIndex> rows,
                                  const Representation& representation, const Head& head);

/// The numbers 0, 1, ..., rows - 1.
[[nodiscard]] std::vector<RowIndex> all_rows(std::size_t rows);

/// The rows of one training run.
class RepresentedRows {
 public:
  /// Pooled rows are kept with their zeros (pooled_memory.hpp). Flattened rows that take at most 40 % of the
  /// memory limit are in memory, without zeros.
  /// @param stored    must outlive this
  /// @param training  the rows that scale and standardize are fitted to
  /// @param window    flattened rows in memory at a time; 0: all, or as many as memory allows
  /// @param folder    for pooled rows that do not fit in memory; empty: they are there all the same
  /// @throws Error kData if rows that don't fit in memory would have to be standardized, or if `folder` has
  /// no room
  RepresentedRows(const StoredRows& stored, const Representation& representation,
                  std::span<const RowIndex> training, std::size_t window,
                  const std::filesystem::path& folder = {});
  RepresentedRows(const RepresentedRows&) = delete;
  RepresentedRows& operator=(const RepresentedRows&) = delete;

  /// The data for train_head(); valid while this lives.
  /// @param labels  [stored rows]
  [[nodiscard]] TrainingData training_data(std::span<const std::int32_t> labels,
                                           std::span<const RowIndex> training,
                                           std::span<const RowIndex> validation, int classes) const;
  /// The source that reads the rows; null if they are in memory.
  [[nodiscard]] const RowSource* source() const { return source_ ? &*source_ : nullptr; }
  /// Flattened rows in memory; empty if source() reads them, or if the rows are pooled.
  [[nodiscard]] SparseRowsView flattened() const {
    return transformed_ ? transformed_->view() : model_.view();
  }
  /// The number of features of a row.
  [[nodiscard]] std::int64_t columns() const;
  /// A text like "25088 features, 90.1 % of them zero".
  [[nodiscard]] std::string describe() const;

  /// The transform that a trained head's first layer has to take in, so that the head works on a saved
  /// model's rows.
  [[nodiscard]] const FittedTransform& fitted() const { return fitted_; }

  /// Mean |x|^2 of `rows` as train_head() gets them.
  [[nodiscard]] double mean_squared_norm(std::span<const RowIndex> rows) const;

  /// `rows`, read from their storage and represented as by model_rows().
  [[nodiscard]] SparseRows read(std::span<const RowIndex> rows) const;

  /// Logits of `rows` by a saved model's head, [rows.size(), classes].
  [[nodiscard]] Matrix logits(const Head& head, std::span<const RowIndex> rows) const;

 private:
  [[nodiscard]] std::int64_t bytes_in_memory() const;
  void keep_dense(std::span<const RowIndex> training, const std::filesystem::path& folder);
  void keep_in_memory(std::span<const RowIndex> training);
  void read_in_windows(std::span<const RowIndex> training, std::size_t window);

  const StoredRows& stored_;
  Representation representation_;
  FittedTransform fitted_;  // scale or standardize; other transforms are in the model's rows
  // Pooled rows.
  DenseRows pooled_;
  TransformedRows pooled_model_;     // the model's rows: at length one, or as they are
  TransformedRows pooled_training_;  // the rows that train
  AffineRows pooled_training_rows_;
  // Flattened rows in memory.
  SparseRows model_;                       // model_rows()
  std::optional<SparseRows> transformed_;  // `model_` after `fitted_`, if that changes anything
  // Flattened rows that are not.
  std::optional<RowSource> source_;
};

}  // namespace headstart
