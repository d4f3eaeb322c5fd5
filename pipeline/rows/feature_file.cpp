// pipeline/rows/feature_file.cpp
#include "pipeline/rows/feature_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <utility>

#include "data/error.hpp"
#include "features/float16.hpp"
#include "features/hdf5/hdf5.hpp"
#include "pipeline/process/write_file.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPartBytes = std::size_t{64} << 20U;

void write_table(hid_t file, const FeatureTable& table) {
  const std::array<std::int32_t, 1> version{kFeatureFileVersion};
  const std::array<std::int64_t, 3> shape{table.shape.height, table.shape.width, table.shape.channels};
  hdf5::write_variable_string(file, "format", kFeatureFileFormat);
  hdf5::write_numbers<std::int32_t>(file, "format_version", {}, version);
  hdf5::write_variable_string(file, "extractor", table.configuration.canonical_json());
  hdf5::write_variable_string(file, "tap", std::string(to_string(table.tap)));
  hdf5::write_variable_string(file, "pooling", std::string(to_string(table.pooling)));
  hdf5::write_numbers<std::int64_t>(file, "map_shape", {shape.size()}, shape);
  hdf5::write<std::int32_t>(file, "labels", {table.labels.size()}, table.labels);
  hdf5::write_string_dataset(file, "class_names", table.class_names);
  hdf5::write_string_dataset(file, "paths", table.paths);
  hdf5::write_string_dataset(file, "split", table.splits);
  hdf5::write_string_dataset(file, "group", table.groups);
  std::vector<std::uint8_t> digests;
  digests.reserve(table.keys.size() * sizeof(Sha256::bytes));
  for (const Sha256& key : table.keys) digests.insert(digests.end(), key.bytes.begin(), key.bytes.end());
  hdf5::write<std::uint8_t>(file, "sha256", {table.keys.size(), sizeof(Sha256::bytes)}, digests);
}

/// @param first  the table's row at which `rows` starts
void check_range(const SparseRows& rows, std::size_t first, const FeatureTable& table) {
  const auto wrong = std::find_if(rows.values.begin(), rows.values.end(),
                                  [](float value) { return std::abs(value) > kLargestFloat16; });
  if (wrong == rows.values.end()) return;
  const auto at = static_cast<std::int64_t>(wrong - rows.values.begin());
  const auto row = std::upper_bound(rows.indptr.begin(), rows.indptr.end(), at) - rows.indptr.begin() - 1;
  throw Error{Error::Kind::kData, "a feature is too large for float16",
              fmt::format("{}: {}, at most {}", printable(table.paths[first + static_cast<std::size_t>(row)]),
                          *wrong, kLargestFloat16),
              "pass --dtype float32"};
}

/// Writes the rows' values, a few rows at a time.
void write_features(const FeatureTable& table, std::size_t columns, FeatureType type,
                    const std::function<SparseRows(std::span<const RowIndex>)>& read,
                    const WriteBytes& write) {
  std::vector<RowIndex> all(table.labels.size());
  std::iota(all.begin(), all.end(), 0);
  const std::size_t at_once = std::max<std::size_t>(1, kPartBytes / (columns * sizeof(float)));
  std::vector<float> dense;
  std::vector<Float16> halves;
  for (std::size_t first = 0; first < all.size(); first += at_once) {
    const auto part = std::span(all).subspan(first, std::min(at_once, all.size() - first));
    const SparseRows rows = read(part);
    dense.assign(part.size() * columns, 0.0F);
    for (std::size_t row = 0; row < part.size(); ++row) {
      for (auto i = static_cast<std::size_t>(rows.indptr[row]);
           i < static_cast<std::size_t>(rows.indptr[row + 1]); ++i)
        dense[row * columns + static_cast<std::size_t>(rows.indices[i])] = rows.values[i];
    }
    if (type == FeatureType::kFloat32) {
      write(std::as_bytes(std::span(dense)));
      continue;
    }
    check_range(rows, first, table);
    halves.resize(dense.size());
    std::transform(dense.begin(), dense.end(), halves.begin(), to_float16);
    write(std::as_bytes(std::span(halves)));
  }
}

}  // namespace

void write_feature_file(const fs::path& file, const FeatureTable& table, std::int64_t columns,
                        FeatureType type, const std::function<SparseRows(std::span<const RowIndex>)>& read) {
  hdf5::LendingFile layout;
  write_table(layout.id(), table);
  const auto width = static_cast<std::size_t>(columns);
  const auto [before, after] = layout.close_around("features", {table.labels.size(), width}, type);
  // Renamed, as Clang 14 captures no structured binding and Clang 19 warns of a name that hides one.
  write_file(file, [&, &head = before, &tail = after](const WriteBytes& write) {
    write(head);
    write_features(table, width, type, read, write);
    write(tail);
  });
}

}  // namespace headstart
