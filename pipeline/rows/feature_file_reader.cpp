// pipeline/rows/feature_file_reader.cpp
#include "pipeline/rows/feature_file_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <future>
#include <limits>
#include <numeric>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/error.hpp"
#include "features/network/all_finite.hpp"
#include "memory/enum_names.hpp"
#include "pipeline/rows/feature_file_error.hpp"
#include "pipeline/rows/stored_table.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kReadBytes = std::size_t{4} << 20U;
constexpr std::uint64_t kMaxRows = std::numeric_limits<RowIndex>::max();

/// The parsed value of `text`. @throws Error naming the attribute
template <typename T>
T parsed(std::optional<T> value, const fs::path& file, const char* attribute, const std::string& text) {
  if (!value) refuse_features(file, fmt::format("{} is '{}'", attribute, printable(text)));
  return *value;
}

/// Checks that every label names a class, and that no two classes have the same name.
void check_labels(const FeatureTable& table, const fs::path& file) {
  std::set<std::string_view> names;
  for (const std::string& name : table.class_names) {
    if (!names.insert(name).second)
      refuse_features(file, fmt::format("class_names has '{}' twice", printable(name)));
  }
  for (std::size_t row = 0; row < table.labels.size(); ++row) {
    if (table.labels[row] < 0 || std::cmp_greater_equal(table.labels[row], table.class_names.size()))
      refuse_features(file, fmt::format("labels: row {} is {}, with {} class_names", row, table.labels[row],
                                        table.class_names.size()));
  }
}

/// Checks that all rows have a split, or that no row has one.
void check_splits(const FeatureTable& table, const fs::path& file) {
  for (std::size_t row = 0; row < table.splits.size(); ++row) {
    const std::string& split = table.splits[row];
    if (!parse_name<Split>(split))
      refuse_features(file, fmt::format("split: row {} is '{}', needed train, validation or test", row,
                                        printable(split)));
    if (split.empty() != table.splits.front().empty())
      refuse_features(file, fmt::format("split: row {} is '{}', row 0 is '{}': fill all or none", row, split,
                                        table.splits.front()));
  }
}

}  // namespace

FeatureFileReader::FeatureFileReader(const fs::path& file) : path_(file), features_(file) {
  read_table();
  survey_features();
}

void FeatureFileReader::read_table() {
  const std::uint64_t rows = features_.rows();
  if (rows < 1 || rows > kMaxRows) refuse_features(path_, fmt::format("features has {} rows", rows));
  auto [extractor, tap, pooling, shape, table] = features_.table();
  table.configuration = parsed(ExtractorConfiguration::parse(extractor), path_, "extractor", extractor);
  table.tap = parsed(find_tap(table.configuration.network, tap), path_, "tap", tap);
  table.pooling = parsed(parse_name<Pooling>(pooling), path_, "pooling", pooling);
  table.shape = tap_shape(table.configuration.network, table.tap, table.configuration.resize.size);
  if (shape != std::vector<std::int64_t>{table.shape.height, table.shape.width, table.shape.channels})
    refuse_features(
        path_, fmt::format("map_shape is ({}), {} of this extractor is {} x {} x {}", fmt::join(shape, ", "),
                           tap, table.shape.height, table.shape.width, table.shape.channels));
  const auto columns = static_cast<std::uint64_t>(
      pooled_columns(table.pooling, static_cast<std::int64_t>(table.shape.size()), table.shape.channels));
  if (features_.columns() != columns)
    refuse_features(path_, fmt::format("features has {} columns, rows of {} with pooling {} have {}",
                                       features_.columns(), tap, pooling, columns));
  for (const auto& [name, length] :
       {std::pair{"labels", table.labels.size()}, std::pair{"paths", table.paths.size()},
        std::pair{"split", table.splits.size()}, std::pair{"group", table.groups.size()},
        std::pair{"sha256", table.keys.size()}}) {
    if (length != rows)
      refuse_features(path_, fmt::format("{} has {} rows, features {}", name, length, rows));
  }
  check_labels(table, path_);
  check_splits(table, path_);
  table_ = std::move(table);
}

/// Checks every value, and counts those that are not zero.
void FeatureFileReader::survey_features() {
  const std::size_t columns = features_.columns();
  const std::size_t rows = features_.rows();
  rows_at_once_ = std::max<std::size_t>(1, kReadBytes / (columns * sizeof(float)));
  std::array<std::vector<float>, 2> parts;  // one is read and checked while the other is hashed
  Sha256Stream digest;
  std::future<void> hashing;
  for (std::size_t first = 0; first < rows; first += rows_at_once_) {
    std::vector<float>& values = parts[first / rows_at_once_ % 2];
    values.resize(std::min(rows_at_once_, rows - first) * columns);
    features_.read(first, values);
    if (!all_finite(values)) {
      const auto wrong =
          std::find_if(values.begin(), values.end(), [](float value) { return !std::isfinite(value); });
      const std::size_t row = first + static_cast<std::size_t>(wrong - values.begin()) / columns;
      refuse_features(path_, fmt::format("features: row {} ({}) has a value that is {}", row,
                                         printable(table_.paths[row]), *wrong));
    }
    layout_.nonzeros += std::count_if(values.begin(), values.end(), [](float value) { return value != 0; });
    layout_.segments.resize(first + values.size() / columns,
                            static_cast<std::int32_t>(first / rows_at_once_));
    if (hashing.valid()) hashing.get();
    hashing = std::async(std::launch::async,
                         [&digest, part = std::as_bytes(std::span(values))] { digest.update(part); });
  }
  hashing.get();
  digest_ = digest.finish();
}

MapShape FeatureFileReader::shape_of_row() const {
  const auto columns = static_cast<std::size_t>(features_.columns());
  return columns == table_.shape.size() ? table_.shape : MapShape{1, 1, static_cast<int>(columns)};
}

StoredRows FeatureFileReader::rows() const {
  return {.count = table_.keys.size(),
          .shape = shape_of_row(),
          .layout = layout_,
          .place = printable(path_.filename().string()),
          .read = [this](std::span<const RowIndex> rows) { return read(rows); },
          .read_dense = [this](std::span<const RowIndex> rows,
                               std::span<float> dense) { read_dense(rows, dense); }};
}

SparseRows FeatureFileReader::read(std::span<const RowIndex> rows) const {
  const std::size_t columns = features_.columns();
  SparseRows read;
  read.columns = static_cast<std::int64_t>(columns);
  std::vector<float> dense;
  for (std::size_t first = 0; first < rows.size(); first += rows_at_once_) {
    const std::span<const RowIndex> part = rows.subspan(first, std::min(rows_at_once_, rows.size() - first));
    dense.resize(part.size() * columns);
    read_dense(part, dense);
    for (std::size_t at = 0; at < part.size(); ++at)
      read.append_dense(std::span(dense).subspan(at * columns, columns));
  }
  return read;
}

void FeatureFileReader::read_dense(std::span<const RowIndex> rows, std::span<float> dense) const {
  std::vector<std::size_t> in_file_order(rows.size());
  std::iota(in_file_order.begin(), in_file_order.end(), std::size_t{0});
  if (!std::is_sorted(rows.begin(), rows.end()))
    std::stable_sort(in_file_order.begin(), in_file_order.end(),
                     [&](std::size_t a, std::size_t b) { return rows[a] < rows[b]; });
  const auto row_at = [&](std::size_t at) { return static_cast<std::size_t>(rows[in_file_order[at]]); };

  const std::size_t columns = features_.columns();
  std::vector<float> run;
  for (std::size_t begin = 0; begin < rows.size();) {
    // Rows that are neighbours in the file are read together, in their places if these are neighbours, too.
    const std::size_t first = row_at(begin);
    bool in_place = true;
    std::size_t end = begin + 1;
    while (end < rows.size() && row_at(end) - row_at(end - 1) <= 1 && row_at(end) - first < rows_at_once_) {
      in_place =
          in_place && row_at(end) == row_at(end - 1) + 1 && in_file_order[end] == in_file_order[end - 1] + 1;
      ++end;
    }
    const std::size_t count = row_at(end - 1) - first + 1;
    if (in_place) {
      features_.read(first, dense.subspan(in_file_order[begin] * columns, count * columns));
      begin = end;
      continue;
    }
    run.resize(count * columns);
    features_.read(first, run);
    for (; begin < end; ++begin) {
      const std::span<const float> from = std::span(run).subspan((row_at(begin) - first) * columns, columns);
      std::copy(from.begin(), from.end(), dense.subspan(in_file_order[begin] * columns).begin());
    }
  }
}

ExtractedDataset dataset_of(const FeatureTable& table) {
  ExtractedDataset dataset;
  dataset.manifest.classes = table.class_names;
  const std::size_t rows = table.keys.size();
  dataset.manifest.samples.reserve(rows);
  dataset.content.reserve(rows);
  dataset.extraction.images.reserve(rows);
  dataset.used.reserve(rows);
  for (std::size_t row = 0; row < rows; ++row) {
    Sample sample;
    sample.path = table.paths[row];
    sample.label = table.labels[row];
    sample.split = parse_name<Split>(table.splits[row]).value_or(Split::kUnassigned);
    sample.group = table.groups[row];
    dataset.manifest.has_given_splits = sample.split != Split::kUnassigned;  // in all rows or in none
    dataset.manifest.samples.push_back(std::move(sample));
    ImageResult image;
    image.status = ImageStatus::kCached;
    image.content = table.keys[row];
    dataset.content.push_back(image.content);
    dataset.extraction.images.push_back(std::move(image));
    dataset.used.push_back(row);
  }
  dataset.duplicates = find_duplicates(dataset.manifest, dataset.content);
  return dataset;
}

}  // namespace headstart
