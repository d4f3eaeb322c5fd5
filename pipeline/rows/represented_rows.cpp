// pipeline/rows/represented_rows.cpp
#include "pipeline/rows/represented_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "data/error.hpp"
#include "head/layers/solver.hpp"
#include "pipeline/process/console.hpp"

namespace headstart {
namespace {

constexpr std::int64_t kPartBytes = std::int64_t{256} << 20;  // of rows read at once
constexpr std::int64_t kBytesPerEntry = 8;                    // index and value

/// How many rows fit into `most` bytes, if all `rows` together take `bytes`.
std::size_t rows_within(std::int64_t most, std::size_t rows, std::int64_t bytes) {
  const double share = static_cast<double>(most) / static_cast<double>(std::max<std::int64_t>(bytes, 1));
  return std::max<std::size_t>(1, static_cast<std::size_t>(std::min(1.0, share) * static_cast<double>(rows)));
}

/// Calls take() for one part of `rows` after another.
template <typename Take>
void in_parts(const StoredRows& stored, std::span<const RowIndex> rows, const Take& take) {
  const std::size_t part = rows_within(kPartBytes, stored.count, kBytesPerEntry * stored.layout.nonzeros);
  for (std::size_t first = 0; first < rows.size(); first += part)
    take(rows.subspan(first, std::min(part, rows.size() - first)));
}

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
    const SparseRows matrix = read_model_rows(stored, part, representation);
    logits.middleRows(first, static_cast<Eigen::Index>(part.size())) =
        predict_logits(head, matrix.view(), all_rows(part.size()));
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
                                 std::span<const RowIndex> training, std::size_t window)
    : stored_(stored), representation_(representation) {
  const std::int64_t allowed = available_memory() / 5 * 2;
  const std::int64_t bytes = bytes_in_memory();
  if (representation.pooling == Pooling::kFlatten && (window > 0 || bytes > allowed)) {
    if (representation.transform == Transform::kStandardize) throw cannot_standardize(bytes, allowed, window);
    // Two windows are in memory, and one of them may be there twice while it is transformed.
    if (window == 0) window = rows_within(allowed / 3, stored.count, bytes);
    read_in_windows(training, window);
  } else {
    keep_in_memory(training);
  }
}

std::int64_t RepresentedRows::bytes_in_memory() const {
  const std::int64_t bytes = kBytesPerEntry * stored_.layout.nonzeros;
  const auto entries = static_cast<std::int64_t>(stored_.count * stored_.shape.size());
  switch (representation_.transform) {
    case Transform::kNone:
    case Transform::kUnit:
      return bytes;
    case Transform::kScale:
      return 2 * bytes;
    case Transform::kStandardize:
      return bytes + kBytesPerEntry * entries;
  }
  return bytes;
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

std::string RepresentedRows::describe() const {
  const auto entries = static_cast<double>(stored_.count) * static_cast<double>(columns());
  const auto nonzeros = static_cast<double>(source_ ? stored_.layout.nonzeros : training().indptr.back());
  std::string text =
      fmt::format("{} features, {:.1f} % of them zero", columns(), 100.0 - 100.0 * nonzeros / entries);
  if (source_) text += fmt::format(", read from {} {} rows at a time", stored_.place, source_->window);
  return text;
}

double RepresentedRows::mean_squared_norm(std::span<const RowIndex> rows) const {
  if (!source_) return headstart::mean_squared_norm(training(), rows);
  return sum_of_squares_read(rows, source_->window, source_->read) / static_cast<double>(rows.size());
}

Matrix RepresentedRows::logits(const Head& head, std::span<const RowIndex> rows) const {
  if (source_) return model_logits(stored_, rows, representation_, head);
  return predict_logits(head, model_.view(), rows);
}

}  // namespace headstart
