// pipeline/represented_rows.hpp: stored activations to the rows that a head trains on, and that a saved
// model's first Dense layer takes. The two differ where a transform is folded into that layer, so both come
// from here. Rows that don't fit in memory are read again whenever they are needed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "head/feature_matrix.hpp"
#include "head/representation.hpp"
#include "head/row_source.hpp"
#include "head/trainer.hpp"
#include "pipeline/stored_rows.hpp"

namespace headstart {

/// What the first Dense layer of a saved model takes: stored rows pooled, and of length one where the
/// transform is unit. scale and standardize are in the layer's weights. Pooled rows are read in parts, so
/// that their maps are never in memory together.
[[nodiscard]] FeatureMatrix model_rows(const StoredRows& stored, std::span<const RowIndex> rows,
                                       const Representation& representation);

/// Logits of stored rows by a saved model's head; rows are read in parts.
/// @return [rows.size(), classes]
[[nodiscard]] Matrix model_logits(const StoredRows& stored, std::span<const RowIndex> rows,
                                  const Representation& representation, const Head& head);

/// 0, 1, ..., rows - 1.
[[nodiscard]] std::vector<RowIndex> all_rows(std::size_t rows);

/// The rows of one training run.
class RepresentedRows {
 public:
  /// Pooled rows are in memory, and so are flattened ones that take at most 40 % of the memory limit.
  /// @param stored    must outlive this
  /// @param training  the rows that scale and standardize are fitted to
  /// @param window    rows in memory at a time where they are flattened; 0: all, or what memory allows
  /// @throws Error kData if rows would have to be standardized that don't fit in memory
  RepresentedRows(const StoredRows& stored, const Representation& representation,
                  std::span<const RowIndex> training, std::size_t window);
  RepresentedRows(const RepresentedRows&) = delete;
  RepresentedRows& operator=(const RepresentedRows&) = delete;

  /// What train_head() gets: rows in memory, or none of source()'s.
  [[nodiscard]] FeatureRows training() const { return transformed_ ? transformed_->view() : model_.view(); }
  /// Where they are read from; null if they are in memory.
  [[nodiscard]] const RowSource* source() const { return source_ ? &*source_ : nullptr; }
  /// Features of a row.
  [[nodiscard]] std::int64_t columns() const { return source_ ? source_->columns : model_.columns; }
  /// "25088 features, 90.1 % of them zero".
  [[nodiscard]] std::string describe() const;

  /// What a trained head's first layer has to take in, so that it works on a saved model's rows.
  [[nodiscard]] const FittedTransform& fitted() const { return fitted_; }

  /// Mean |x|^2 of `rows` as train_head() sees them.
  [[nodiscard]] double mean_squared_norm(std::span<const RowIndex> rows) const;

  /// `rows` from where they are stored, as model_rows() gives them.
  [[nodiscard]] FeatureMatrix read(std::span<const RowIndex> rows) const;

  /// Logits of `rows` by a saved model's head, [rows.size(), classes].
  [[nodiscard]] Matrix logits(const Head& head, std::span<const RowIndex> rows) const;

 private:
  [[nodiscard]] std::int64_t bytes_in_memory() const;
  void keep_in_memory(std::span<const RowIndex> training);
  void read_in_windows(std::span<const RowIndex> training, std::size_t window);

  const StoredRows& stored_;
  Representation representation_;
  FeatureMatrix model_;                       // model_rows(); empty if rows are read
  FittedTransform fitted_;                    // scale or standardize; for other transforms it changes nothing
  std::optional<FeatureMatrix> transformed_;  // `model_` after `fitted_`, where that changes anything
  std::optional<RowSource> source_;
};

}  // namespace headstart
