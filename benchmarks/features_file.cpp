// benchmarks/features_file.cpp: a features.h5 and a features.npy of 70,000 rows of 512, as `cache export`
// writes them: written, and read, checked and hashed as `train --features` does before it trains. Real time.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <numeric>
#include <span>
#include <string>
#include <system_error>
#include <vector>

#include "data/sha256.hpp"
#include "pipeline/rows/feature_file.hpp"
#include "pipeline/rows/feature_file_reader.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;

constexpr int kRows = 70'000;
constexpr std::int64_t kColumns = 512;
constexpr int kZeroEvery = 17;  // 94 % are not zero, as pooled activations are

FeatureTable table_of_rows() {
  FeatureTable table;
  table.pooling = Pooling::kAverage;
  table.shape = tap_shape(vgg16(), table.tap, table.configuration.resize.size);
  for (int label = 0; label < 10; ++label) table.class_names.push_back(fmt::format("class {}", label));
  for (int row = 0; row < kRows; ++row) {
    table.labels.push_back(row % 10);
    table.paths.push_back(fmt::format("class {}/image {:06}.jpg", row % 10, row));
    table.splits.emplace_back(row % 7 == 0 ? "test" : "train");
    table.groups.emplace_back();
    table.keys.push_back(sha256(table.paths.back()));
  }
  return table;
}

SparseRows made_rows(std::span<const RowIndex> rows) {
  SparseRows matrix;
  matrix.columns = kColumns;
  for (const RowIndex row : rows) {
    for (std::int32_t column = 0; column < kColumns; ++column) {
      if ((row + column) % kZeroEvery == 0) continue;
      matrix.indices.push_back(column);
      matrix.values.push_back(static_cast<float>((row * 31 + column) % 1009) / 64.0F);
    }
    matrix.indptr.push_back(static_cast<std::int64_t>(matrix.values.size()));
  }
  return matrix;
}

/// A folder for the files, gone at the end.
class BenchmarkFolder {
 public:
  BenchmarkFolder() : path_(fs::temp_directory_path() / fmt::format("headstart-benchmark-{}", ::getpid())) {
    fs::create_directory(path_);
  }
  BenchmarkFolder(const BenchmarkFolder&) = delete;
  BenchmarkFolder& operator=(const BenchmarkFolder&) = delete;
  ~BenchmarkFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  [[nodiscard]] fs::path file(const char* name) const { return path_ / name; }

 private:
  fs::path path_;
};

/// The rows are made beforehand, and copied as the cache would copy them.
void write_features_file(benchmark::State& state, const char* name, FeatureType type) {
  const FeatureTable table = table_of_rows();
  std::vector<RowIndex> all(kRows);
  std::iota(all.begin(), all.end(), 0);
  const SparseRows rows = made_rows(all);
  const BenchmarkFolder folder;
  for (auto _ : state) {
    write_feature_file(folder.file(name), table, kColumns, type, [&](std::span<const RowIndex> wanted) {
      SparseRows part;
      part.columns = kColumns;
      for (const RowIndex row : wanted) part.append_row(rows, static_cast<std::size_t>(row));
      return part;
    });
  }
}
BENCHMARK_CAPTURE(write_features_file, hdf5, "f.h5", FeatureType::kFloat32)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK_CAPTURE(write_features_file, npy, "f.npy", FeatureType::kFloat32)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK_CAPTURE(write_features_file, npy_float16, "f.npy", FeatureType::kFloat16)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

void read_features_file(benchmark::State& state, const char* name, FeatureType type) {
  const FeatureTable table = table_of_rows();
  const BenchmarkFolder folder;
  write_feature_file(folder.file(name), table, kColumns, type, made_rows);
  for (auto _ : state) {
    const FeatureFileReader reader(folder.file(name));
    if (reader.table().paths != table.paths || reader.table().labels != table.labels ||
        reader.rows().count != static_cast<std::size_t>(kRows)) {
      state.SkipWithError("the table is not the one that was written");
      return;
    }
  }
  state.counters["a_row"] =
      benchmark::Counter(kRows, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}
BENCHMARK_CAPTURE(read_features_file, hdf5, "f.h5", FeatureType::kFloat32)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK_CAPTURE(read_features_file, hdf5_float16, "f.h5", FeatureType::kFloat16)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK_CAPTURE(read_features_file, npy, "f.npy", FeatureType::kFloat32)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK_CAPTURE(read_features_file, npy_float16, "f.npy", FeatureType::kFloat16)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace
}  // namespace headstart

BENCHMARK_MAIN();
