// benchmarks/features_file.cpp: a features.h5 of 70,000 rows of 512, as `cache export` writes it, read and
// checked: what `train --features` does before it trains. CPU time of the whole process.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <span>
#include <string>
#include <system_error>

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

SparseRows rows_of(std::span<const RowIndex> rows) {
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

/// The file, gone at the end.
class WrittenFile {
 public:
  explicit WrittenFile(const FeatureTable& table)
      : path_(fs::temp_directory_path() / fmt::format("headstart-benchmark-{}.h5", ::getpid())) {
    write_feature_file(path_, table, kColumns, FeatureType::kFloat32, rows_of);
  }
  WrittenFile(const WrittenFile&) = delete;
  WrittenFile& operator=(const WrittenFile&) = delete;
  ~WrittenFile() {
    std::error_code ignored;
    fs::remove(path_, ignored);
  }
  [[nodiscard]] const fs::path& path() const noexcept { return path_; }

 private:
  fs::path path_;
};

void read_features_file(benchmark::State& state) {
  const FeatureTable table = table_of_rows();
  const WrittenFile file(table);
  for (auto _ : state) {
    const FeatureFileReader reader(file.path());
    if (reader.table().paths != table.paths || reader.table().labels != table.labels ||
        reader.rows().count != static_cast<std::size_t>(kRows)) {
      state.SkipWithError("the table is not the one that was written");
      return;
    }
  }
  state.counters["a_row"] =
      benchmark::Counter(kRows, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}
BENCHMARK(read_features_file)->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime();

}  // namespace
}  // namespace headstart

BENCHMARK_MAIN();
