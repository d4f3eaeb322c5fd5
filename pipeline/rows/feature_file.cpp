// pipeline/rows/feature_file.cpp
#include "pipeline/rows/feature_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <utility>

#include "data/error.hpp"
#include "features/float16.hpp"
#include "features/hdf5/lending_file.hpp"
#include "pipeline/process/write_file.hpp"
#include "pipeline/rows/features_hdf5.hpp"
#include "pipeline/rows/features_npy.hpp"
#include "pipeline/rows/npy_header.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPartBytes = std::size_t{64} << 20U;

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
  const auto width = static_cast<std::size_t>(columns);
  if (is_npy_name(file)) {
    write_file(file, [&](const WriteBytes& write) {
      const std::string header = npy_header(type, table.labels.size(), width);
      write(std::as_bytes(std::span(header)));
      write_features(table, width, type, read, write);
      // Last, so that an error leaves all three files as they were.
      write_files_beside_npy(file, table);
    });
    return;
  }
  hdf5::LendingFile layout;
  write_hdf5_table(layout.id(), table);
  const auto [before, after] = layout.close_around("features", {table.labels.size(), width}, type);
  // Renamed, as Clang 14 captures no structured binding and Clang 19 warns of a name that hides one.
  write_file(file, [&, &head = before, &tail = after](const WriteBytes& write) {
    write(head);
    write_features(table, width, type, read, write);
    write(tail);
  });
}

std::vector<fs::path> feature_files(const fs::path& file) {
  std::vector<fs::path> files{file};
  if (!is_npy_name(file)) return files;
  for (fs::path& beside : files_beside_npy(file)) files.push_back(std::move(beside));
  return files;
}

}  // namespace headstart
