// benchmarks/segment.cpp: the cache's own costs for block5_pool rows (25,088 floats, 90 % zeros): dense to
// CSR, segment to bytes and back, and the weights that stand before all of it. Each is checked, then timed.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "data/sha256.hpp"
#include "features/cache/segment.hpp"
#include "features/float16.hpp"
#include "features/network/known_networks.hpp"
#include "features/network/weights.hpp"
#include "memory/sparse_rows.hpp"

namespace headstart {
namespace {

constexpr MapShape kShape{7, 7, 512};

/// One row with this share of non-zeros, scattered as ReLU scatters them.
std::vector<float> activations(std::size_t seed, double nonzero_share) {
  auto state = static_cast<std::uint32_t>(seed * 2654435761U + 1U);
  std::vector<float> row(kShape.size());
  for (float& value : row) {
    state = state * 1664525U + 1013904223U;
    const double uniform = static_cast<double>(state) / 4294967296.0;
    value = uniform < nonzero_share ? static_cast<float>(1.0 + 1000.0 * uniform) : 0.0F;
  }
  return row;
}

/// The obvious loop, which append_dense has to agree with.
SparseRows reference_rows(const std::vector<std::vector<float>>& dense) {
  SparseRows rows;
  rows.columns = static_cast<std::int64_t>(kShape.size());
  for (const std::vector<float>& row : dense) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (row[i] == 0.0F) continue;
      rows.indices.push_back(static_cast<std::int32_t>(i));
      rows.values.push_back(row[i]);
    }
    rows.indptr.push_back(static_cast<std::int64_t>(rows.values.size()));
  }
  return rows;
}

std::vector<std::vector<float>> dense_rows(std::size_t count, double nonzero_share) {
  std::vector<std::vector<float>> rows;
  for (std::size_t i = 0; i < count; ++i) rows.push_back(activations(i, nonzero_share));
  return rows;
}

SparseRows compressed(const std::vector<std::vector<float>>& dense) {
  SparseRows rows;
  rows.columns = static_cast<std::int64_t>(kShape.size());
  for (const std::vector<float>& row : dense) rows.append_dense(row);
  return rows;
}

/// 3,000 rows at 10 %: a full segment of about 60 MB, or 45 MB as float16.
const Segment& large_segment(FeatureType storage = FeatureType::kFloat32) {
  static const auto make = [](FeatureType type) {
    Segment made;
    made.storage = type;
    made.shape = kShape;
    made.origin = {"engine", "1", "0.1", "host"};
    auto dense = dense_rows(64, 0.1);
    if (type == FeatureType::kFloat16) {
      for (std::vector<float>& row : dense)
        std::transform(row.begin(), row.end(), row.begin(), rounded_to_float16);
    }
    made.rows.columns = static_cast<std::int64_t>(kShape.size());
    for (std::size_t i = 0; i < 3000; ++i) {
      made.keys.push_back(sha256(std::to_string(i)));
      made.rows.append_dense(dense[i % dense.size()]);
    }
    return made;
  };
  static const Segment floats = make(FeatureType::kFloat32);
  static const Segment halves = make(FeatureType::kFloat16);
  return storage == FeatureType::kFloat16 ? halves : floats;
}

/// The argument of a benchmark is the bits of a value.
FeatureType storage_of(const benchmark::State& state) {
  return state.range(0) == 16 ? FeatureType::kFloat16 : FeatureType::kFloat32;
}

void set_rates(benchmark::State& state, std::size_t rows, std::size_t bytes) {
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(rows));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes));
}

/// Rows a second; the argument is the share of non-zeros in percent.
void bm_append_dense(benchmark::State& state) {
  const auto dense = dense_rows(64, static_cast<double>(state.range(0)) / 100.0);
  const SparseRows expected = reference_rows(dense);
  if (compressed(dense) != expected || expected.values.empty())
    return state.SkipWithError("result is wrong: not timed");
  for (auto _ : state) benchmark::DoNotOptimize(compressed(dense));
  set_rates(state, dense.size(), dense.size() * kShape.size() * sizeof(float));
}
BENCHMARK(bm_append_dense)->Arg(7)->Arg(15)->Arg(50)->Unit(benchmark::kMicrosecond);

void bm_encode_segment(benchmark::State& state) {
  const Segment& segment = large_segment(storage_of(state));
  const std::vector<std::byte> bytes = encode_segment(segment);
  if (decode_segment(bytes).rows != segment.rows) return state.SkipWithError("result is wrong: not timed");
  for (auto _ : state) benchmark::DoNotOptimize(encode_segment(segment));
  set_rates(state, segment.keys.size(), bytes.size());
}
BENCHMARK(bm_encode_segment)->Arg(32)->Arg(16)->Unit(benchmark::kMillisecond);

void bm_decode_segment(benchmark::State& state) {
  const Segment& segment = large_segment(storage_of(state));
  const std::vector<std::byte> bytes = encode_segment(segment);
  if (decode_segment(bytes).rows != segment.rows) return state.SkipWithError("result is wrong: not timed");
  for (auto _ : state) benchmark::DoNotOptimize(decode_segment(bytes));
  set_rates(state, segment.keys.size(), bytes.size());
}
BENCHMARK(bm_decode_segment)->Arg(32)->Arg(16)->Unit(benchmark::kMillisecond);

/// What a scan pays for a segment whose bytes are in memory: its digest, then its keys.
void bm_verify_segment(benchmark::State& state) {
  const std::vector<std::byte> bytes = encode_segment(large_segment());
  if (decode_segment_header(bytes).keys != large_segment().keys)
    return state.SkipWithError("result is wrong: not timed");
  for (auto _ : state) {
    benchmark::DoNotOptimize(sha256(bytes));
    benchmark::DoNotOptimize(decode_segment_header(bytes));
  }
  set_rates(state, large_segment().keys.size(), bytes.size());
}
BENCHMARK(bm_verify_segment)->Unit(benchmark::kMillisecond);

void bm_read_weights(benchmark::State& state) {
  const std::string file = std::string(HEADSTART_SOURCE_DIR) + "/models/vgg16_imagenet_notop.h5";
  if (read_keras_weights(vgg16(), file).identity.hex() != kEmbeddedWeightsIdentity) {
    return state.SkipWithError("result is wrong: not timed");
  }
  for (auto _ : state) benchmark::DoNotOptimize(read_keras_weights(vgg16(), file));
}
BENCHMARK(bm_read_weights)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace headstart

BENCHMARK_MAIN();
