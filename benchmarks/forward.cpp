// benchmarks/forward.cpp: milliseconds an image through the network, for each engine and batch size.
// Each engine is first held against Keras's golden features; a wrong one isn't timed. GFLOP/s counts the
// operations of direct convolutions (30.69 GFLOP an image at 224 x 224), so that Winograd shows as more than
// the hardware's peak.
//   benchmark_forward --benchmark_filter=onednn --benchmark_repetitions=5
#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/error.hpp"
#include "features/engines/engine.hpp"
#include "features/engines/native_engine.hpp"
#include "features/engines/onednn_engine.hpp"
#include "features/hdf5/hdf5.hpp"
#include "features/network/weights.hpp"

namespace headstart {
namespace {

constexpr int kInputSize = 224;
constexpr std::size_t kPixels = std::size_t{kInputSize} * kInputSize * 3;

/// 2 x 9 x in x out x height x width over the convolutions.
double direct_flop() {
  double flop = 0.0;
  for (const ConvolutionLayer& layer : kVgg16Convolutions) {
    const double size = kInputSize >> (layer.block - 1);
    flop += 18.0 * layer.in_channels * layer.out_channels * size * size;
  }
  return flop;
}

struct Golden {
  std::vector<float> input;        // [6, 224, 224, 3], preprocessed
  std::vector<float> block5_pool;  // [6, 25088]
};

const Golden& golden() {
  static const Golden data = [] {
    const hdf5::File file = hdf5::open_file(HEADSTART_SOURCE_DIR "/tests/golden/features.h5");
    Golden result{.input = hdf5::read<float>(file.id(), "resized_rgb", 6 * kPixels),
                  .block5_pool = hdf5::read<float>(file.id(), "block5_pool", std::uint64_t{6} * 25088)};
    preprocess(kCaffePreprocessing, result.input);
    return result;
  }();
  return data;
}

const Vgg16Weights& weights() {
  static const Vgg16Weights embedded =
      read_keras_weights(HEADSTART_SOURCE_DIR "/models/vgg16_imagenet_notop.h5");
  return embedded;
}

double relative_error(const std::vector<float>& found, const std::vector<float>& expected) {
  double difference = 0.0;
  double norm = 0.0;
  const std::size_t count = std::min(found.size(), expected.size());
  for (std::size_t i = 0; i < count; ++i) {
    difference += std::pow(static_cast<double>(found[i]) - static_cast<double>(expected[i]), 2);
    norm += std::pow(static_cast<double>(expected[i]), 2);
  }
  return std::sqrt(difference / norm);
}

double peak_rss_mb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024.0;
}

/// @param variant  an instruction set that the native engine is held to; "direct": oneDNN without Winograd;
///                 "": as open_engine() would
std::unique_ptr<Engine> open(EngineKind kind, std::string_view variant, int batch_size) {
  const EngineOptions options{.kind = kind, .batch_size = batch_size};
  if (variant.empty()) return open_engine(weights(), options);
  if (variant == "direct") return open_direct_onednn_engine(weights(), options);
  for (const winograd::Kernels& kernels : winograd::all_kernels()) {
    if (kernels.target == variant) return open_native_engine(weights(), options, kernels);
  }
  throw Error(Error::Kind::kFailed, "this CPU lacks the instruction set", variant, "leave it out");
}

/// Argument 0: batch size. The golden images fill the batch in turn.
void forward(benchmark::State& state, EngineKind kind, std::string_view variant = "") {
  const auto batch_size = static_cast<std::size_t>(state.range(0));
  std::unique_ptr<Engine> engine;
  try {
    engine = open(kind, variant, static_cast<int>(batch_size));
  } catch (const Error& error) {
    return state.SkipWithError(error.what());
  }
  std::vector<float> batch;
  while (batch.size() < batch_size * kPixels) {
    const std::size_t missing = std::min(batch_size * kPixels - batch.size(), golden().input.size());
    batch.insert(batch.end(), golden().input.begin(),
                 golden().input.begin() + static_cast<std::ptrdiff_t>(missing));
  }
  std::vector<float> features(batch_size * tap_shape(Tap::kBlock5Pool, kInputSize).size());
  const std::vector<std::span<float>> outputs{features};

  engine->run(batch, outputs);
  const double error = relative_error(features, golden().block5_pool);
  const double allowed = engine->description().precision == Precision::kFp32 ? 1e-5 : 1e-2;
  if (!(error <= allowed)) return state.SkipWithError("the result is wrong: not timed");

  for ([[maybe_unused]] auto _ : state) {
    engine->run(batch, outputs);
    benchmark::DoNotOptimize(features.data());
  }
  using benchmark::Counter;
  const auto images = static_cast<double>(state.iterations()) * static_cast<double>(batch_size);
  state.counters["images/s"] = Counter(images, Counter::kIsRate);
  state.counters["s/image"] = Counter(images, Counter::kIsRate | Counter::kInvert);
  state.counters["GFLOP/s"] = Counter(images * direct_flop() / 1e9, Counter::kIsRate);
  state.counters["error"] = error;
  state.counters["peak_MB"] = peak_rss_mb();
  state.SetLabel(engine->description().version + ", " + engine->description().implementation);
}

void batches(benchmark::internal::Benchmark* forward) {
  forward->ArgName("batch")->Arg(1)->Arg(8)->Arg(32)->Unit(benchmark::kMillisecond)->UseRealTime();
}

/// A device has to be filled.
void device_batches(benchmark::internal::Benchmark* forward) {
  batches(forward);
  forward->Arg(64)->Arg(128);
}

BENCHMARK_CAPTURE(forward, native, EngineKind::kNative)->Apply(batches);
BENCHMARK_CAPTURE(forward, native_avx2, EngineKind::kNative, "AVX2")->Apply(batches);
BENCHMARK_CAPTURE(forward, onednn, EngineKind::kOnednn)->Apply(batches);
BENCHMARK_CAPTURE(forward, onednn_direct, EngineKind::kOnednn, "direct")->Apply(batches);
BENCHMARK_CAPTURE(forward, opencv, EngineKind::kOpencv)->Apply(batches);
BENCHMARK_CAPTURE(forward, opencv_cuda, EngineKind::kOpencvCuda)->Apply(device_batches);
BENCHMARK_CAPTURE(forward, opencv_cuda_fp16, EngineKind::kOpencvCudaFp16)->Apply(device_batches);

}  // namespace
}  // namespace headstart

BENCHMARK_MAIN();
