// pipeline/rows/represented_rows.cpp
#include "pipeline/rows/represented_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "data/error.hpp"
#include "pipeline/process/console.hpp"
#include "pipeline/rows/pooled_memory.hpp"

namespace headstart {
namespace {

constexpr std::int64_t kEntryBytes = 8;  // index and value

/// @param window  the requested window; 0: none
Error cannot_standardize(std::int64_t bytes, std::int64_t allowed, std::size_t window) {
  const std::string why = window > 0 ? fmt::format("--window {}: all of them have to be in memory", window)
                                     : fmt::format("they take {}, and {} are allowed",
                                                   format_bytes(static_cast<std::uint64_t>(bytes)),
                                                   format_bytes(static_cast<std::uint64_t>(allowed)));
  return Error{Error::Kind::kData, "cannot standardize flattened maps", why,
               fmt::format("pass --pooling avg or max, or another --transform{}",
                           window > 0 ? ", or leave out --window" : "")};
}

/// The sum of |x|^2 over `rows`, which read() gives a window at a time.
template <typename Read>
double sum_of_squares_read(std::span<const RowIndex> rows, std::size_t window, const Read& read) {
  double sum = 0.0;
  for (std::size_t first = 0; first < rows.size(); first += window) {
    const auto part = rows.subspan(first, std::min(window, rows.size() - first));
    sum += sum_of_squares(read(part).view(), all_rows(part.size()));
  }
  return sum;
}

bool in_model_rows(Transform transform) { return transform == Transform::kUnit; }

SparseRows read_model_rows(const StoredRows& stored, std::span<const RowIndex> rows,
                           const Representation& representation) {
  SparseRows matrix = stored.read(rows);
  if (representation.pooling != Pooling::kFlatten)
    matrix = pool(matrix.view(), stored.shape.channels, representation.pooling, 0);
  if (!in_model_rows(representation.transform)) return matrix;
  return apply(fit_transform(representation.transform, matrix.view(), {}), std::move(matrix));
}

Matrix logits_of_part(const StoredRows& stored, std::span<const RowIndex> part,
                      const Representation& representation, const Head& head) {
  const std::vector<RowIndex> all = all_rows(part.size());
  if (!is_dense(representation.pooling))
    return predict_logits(head, read_model_rows(stored, part, representation).view(), all);
  DenseRows pooled(part.size(), stored.shape.channels);
  read_pooled(stored, part, representation.pooling, pooled.values());
  FittedTransform in_model;
  if (in_model_rows(representation.transform)) in_model.transform = representation.transform;
  return predict_logits(head, TransformedRows(in_model, pooled.view(), 0).rows(), all);
}

}  // namespace

SparseRows model_rows(const StoredRows& stored, std::span<const RowIndex> rows,
                      const Representation& representation) {
  // Flattened rows are as large as the stored ones, so parts would save nothing.
  if (representation.pooling == Pooling::kFlatten) return read_model_rows(stored, rows, representation);
  SparseRows matrix;
  in_parts(stored, rows, [&](std::span<const RowIndex> part) {
    matrix.append(read_model_rows(stored, part, representation));
  });
  return matrix;
}

Matrix model_logits(const StoredRows& stored, std::span<const RowIndex> rows,
                    const Representation& representation, const Head& head) {
  Matrix logits(static_cast<Eigen::Index>(rows.size()), head.layers.back().bias.size());
  Eigen::Index first = 0;
  in_parts(stored, rows, [&](std::span<const RowIndex> part) {
    logits.middleRows(first, static_cast<Eigen::Index>(part.size())) =
        logits_of_part(stored, part, representation, head);
    first += static_cast<Eigen::Index>(part.size());
  });
  return logits;
}

std::vector<RowIndex> all_rows(std::size_t rows) {
  std::vector<RowIndex> all(rows);
  std::iota(all.begin(), all.end(), 0);
  return all;
}

RepresentedRows::RepresentedRows(const StoredRows& stored, const Representation& representation,
                                 std::span<const RowIndex> training, std::size_t window,
                                 const std::filesystem::path& folder)
    : stored_(stored), representation_(representation) {
  const std::int64_t allowed = bytes_for_rows();
  const std::int64_t bytes = bytes_in_memory();
  if (is_dense(representation.pooling)) {
    keep_dense(training, folder);
  } else if (window > 0 || bytes > allowed) {
    if (representation.transform == Transform::kStandardize) throw cannot_standardize(bytes, allowed, window);
    // Two windows are in memory, and one of them may be there twice while it is transformed.
    if (window == 0) window = rows_within(allowed / 3, stored.count, bytes);
    read_in_windows(training, window);
  } else {
    keep_in_memory(training);
  }
}

std::int64_t RepresentedRows::bytes_in_memory() const {
  const std::int64_t bytes = kEntryBytes * stored_.layout.nonzeros;
  const auto entries = static_cast<std::int64_t>(stored_.count * stored_.shape.size());
  switch (representation_.transform) {
    case Transform::kNone:
    case Transform::kUnit:
      return bytes;
    case Transform::kScale:
      return 2 * bytes;
    case Transform::kStandardize:
      return bytes + kEntryBytes * entries;
  }
  return bytes;
}

void RepresentedRows::keep_dense(std::span<const RowIndex> training, const std::filesystem::path& folder) {
  const std::int64_t bytes = 4 * static_cast<std::int64_t>(stored_.count) * stored_.shape.channels;
  pooled_ = make_pooled_rows(stored_.count, stored_.shape.channels,
                             pooled_rows_in_file(bytes) ? folder : std::filesystem::path());
  const std::vector<RowIndex> all = all_rows(stored_.count);
  read_pooled(stored_, all, representation_.pooling, pooled_.values());
  const bool in_model = in_model_rows(representation_.transform);
  const FittedTransform fitted = fit_transform(representation_.transform, pooled_.view(), training);
  if (!in_model) fitted_ = fitted;
  pooled_training_ = TransformedRows(fitted, pooled_.view(), 0);
  pooled_model_ = in_model ? pooled_training_ : TransformedRows({}, pooled_.view(), 0);
  pooled_training_rows_ = pooled_training_.rows();
}

void RepresentedRows::keep_in_memory(std::span<const RowIndex> training) {
  model_ = model_rows(stored_, all_rows(stored_.count), representation_);
  const bool done = in_model_rows(representation_.transform);
  fitted_ = fit_transform(done ? Transform::kNone : representation_.transform, model_.view(), training);
  if (fitted_.transform != Transform::kNone) transformed_ = apply(fitted_, model_.view());
}

void RepresentedRows::read_in_windows(std::span<const RowIndex> training, std::size_t window) {
  if (representation_.transform == Transform::kScale) {
    const double sum =
        sum_of_squares_read(training, window, [this](std::span<const RowIndex> rows) { return read(rows); });
    fitted_ = fit_scale(sum / static_cast<double>(training.size()));
  }
  source_ = RowSource{static_cast<std::int64_t>(stored_.shape.size()), stored_.layout.segments, window,
                      [this](std::span<const RowIndex> rows) { return apply(fitted_, read(rows)); }};
}

SparseRows RepresentedRows::read(std::span<const RowIndex> rows) const {
  return read_model_rows(stored_, rows, representation_);
}

TrainingData RepresentedRows::training_data(std::span<const std::int32_t> labels,
                                            std::span<const RowIndex> training,
                                            std::span<const RowIndex> validation, int classes) const {
  return {.features = flattened(),
          .labels = labels,
          .training = training,
          .validation = validation,
          .classes = classes,
          .source = source(),
          .dense = is_dense(representation_.pooling) ? &pooled_training_rows_ : nullptr};
}

std::int64_t RepresentedRows::columns() const {
  if (is_dense(representation_.pooling)) return pooled_.view().columns;
  return source_ ? source_->columns : model_.columns;
}

std::string RepresentedRows::describe() const {
  if (is_dense(representation_.pooling)) return fmt::format("{} features", columns());
  const auto entries = static_cast<double>(stored_.count) * static_cast<double>(columns());
  const auto nonzeros = static_cast<double>(source_ ? stored_.layout.nonzeros : flattened().indptr.back());
  std::string text =
      fmt::format("{} features, {:.1f} % of them zero", columns(), 100.0 - 100.0 * nonzeros / entries);
  if (source_) text += fmt::format(", read from {} {} rows at a time", stored_.place, source_->window);
  return text;
}

double RepresentedRows::mean_squared_norm(std::span<const RowIndex> rows) const {
  if (is_dense(representation_.pooling))
    return sum_of_squares(pooled_training_rows_, rows) / static_cast<double>(rows.size());
  if (!source_) return headstart::mean_squared_norm(flattened(), rows);
  return sum_of_squares_read(rows, source_->window, source_->read) / static_cast<double>(rows.size());
}

Matrix RepresentedRows::logits(const Head& head, std::span<const RowIndex> rows) const {
  if (is_dense(representation_.pooling)) return predict_logits(head, pooled_model_.rows(), rows);
  if (source_) return model_logits(stored_, rows, representation_, head);
  return predict_logits(head, model_.view(), rows);
}

}  // namespace headstart
