// benchmarks/forward.cpp: milliseconds an image through the network, for each engine and batch size.
// Each engine is first held against Keras's golden features; a wrong one isn't timed. Of VGG19, made-up
// weights are run, and the engine is held against oneDNN's direct convolutions. GFLOP/s counts the operations
// of direct convolutions (30.69 GFLOP an image at 224 x 224 for VGG16), so that Winograd shows as more than
// the hardware's peak.
//   benchmark_forward --benchmark_filter=onednn --benchmark_repetitions=5
#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/error.hpp"
#include "features/engines/native_engine.hpp"
#include "features/engines/onednn_engine.hpp"
#include "features/engines/registry.hpp"
#include "features/hdf5/hdf5.hpp"
#include "features/network/known_networks.hpp"
#include "features/network/weights.hpp"

namespace headstart {
namespace {

constexpr int kInputSize = 224;
constexpr std::size_t kPixels = std::size_t{kInputSize} * kInputSize * 3;

/// 2 x 9 x in x out x height x width over the convolutions.
double direct_flop(const Network& network) {
  double flop = 0.0;
  for (const NetworkLayer& layer : convolutions(network)) {
    const double size = kInputSize >> (layer.block - 1);
    flop += 18.0 * layer.in_channels * layer.out_channels * size * size;
  }
  return flop;
}

/// A network, and what it has to give.
struct Task {
  NetworkWeights weights;
  std::vector<float> input;        // [6, 224, 224, 3], preprocessed
  std::vector<float> block5_pool;  // [6, 25088]
};

std::vector<float> golden_input(const hdf5::File& file) {
  std::vector<float> input = hdf5::read<float>(file.id(), "resized_rgb", 6 * kPixels);
  preprocess(kCaffePreprocessing, input);
  return input;
}

const Task& vgg16_task() {
  static const Task task = [] {
    const hdf5::File file = hdf5::open_file(HEADSTART_SOURCE_DIR "/tests/golden/features.h5");
    return Task{
        .weights = read_keras_weights(vgg16(), HEADSTART_SOURCE_DIR "/models/vgg16_imagenet_notop.h5"),
        .input = golden_input(file),
        .block5_pool = hdf5::read<float>(file.id(), "block5_pool", std::uint64_t{6} * 25088)};
  }();
  return task;
}

/// Weights of the size that keeps activations as large as they are (He et al., arXiv 1502.01852).
NetworkWeights made_up_weights(const Network& network) {
  NetworkWeights weights = empty_weights(network);
  std::mt19937 random(1);
  const std::vector<NetworkLayer> layers = convolutions(network);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const auto in = static_cast<std::size_t>(layers[i].in_channels);
    const auto out = static_cast<std::size_t>(layers[i].out_channels);
    std::normal_distribution<float> value(0.0F, std::sqrt(2.0F / static_cast<float>(9 * in)));
    weights.layers[i].kernel.resize(9 * in * out);
    weights.layers[i].bias.resize(out);
    for (float& weight : weights.layers[i].kernel) weight = value(random);
  }
  return weights;
}

const Task& vgg19_task() {
  static const Task task = [] {
    const hdf5::File file = hdf5::open_file(HEADSTART_SOURCE_DIR "/tests/golden/features.h5");
    Task made{made_up_weights(*find_network("vgg19")), golden_input(file),
              std::vector<float>(std::size_t{6} * 25088)};
    const auto reference = open_direct_onednn_engine(
        made.weights, {.batch_size = 6, .taps = {made.weights.network.default_tap}});
    const std::vector<std::span<float>> outputs{made.block5_pool};
    reference->run(made.input, outputs);
    return made;
  }();
  return task;
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
std::unique_ptr<Engine> open(const NetworkWeights& weights, EngineKind kind, std::string_view variant,
                             int batch_size) {
  const EngineOptions options{.batch_size = batch_size, .taps = {weights.network.default_tap}};
  if (variant.empty()) return open_engine(weights, kind, options);
  if (variant == "direct") return open_direct_onednn_engine(weights, options);
  for (const winograd::Kernels& kernels : winograd::all_kernels()) {
    if (kernels.target == variant) return open_native_engine(weights, options, kernels);
  }
  throw Error(Error::Kind::kFailed, "this CPU lacks the instruction set", variant, "leave it out");
}

/// Argument 0: batch size. The golden images fill the batch in turn.
void measure(benchmark::State& state, const Task& task, EngineKind kind, std::string_view variant) {
  const auto batch_size = static_cast<std::size_t>(state.range(0));
  std::unique_ptr<Engine> engine;
  try {
    engine = open(task.weights, kind, variant, static_cast<int>(batch_size));
  } catch (const Error& error) {
    return state.SkipWithError(error.what());
  }
  std::vector<float> batch;
  while (batch.size() < batch_size * kPixels) {
    const std::size_t missing = std::min(batch_size * kPixels - batch.size(), task.input.size());
    batch.insert(batch.end(), task.input.begin(), task.input.begin() + static_cast<std::ptrdiff_t>(missing));
  }
  const Network& network = task.weights.network;
  std::vector<float> features(batch_size * tap_shape(network, network.default_tap, kInputSize).size());
  const std::vector<std::span<float>> outputs{features};

  engine->run(batch, outputs);
  const double error = relative_error(features, task.block5_pool);
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
  state.counters["GFLOP/s"] = Counter(images * direct_flop(network) / 1e9, Counter::kIsRate);
  state.counters["error"] = error;
  state.counters["peak_MB"] = peak_rss_mb();
  state.SetLabel(engine->description().version + ", " + engine->description().implementation);
}

void forward(benchmark::State& state, EngineKind kind, std::string_view variant = "") {
  measure(state, vgg16_task(), kind, variant);
}

void forward_vgg19(benchmark::State& state, EngineKind kind) { measure(state, vgg19_task(), kind, ""); }

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
BENCHMARK_CAPTURE(forward_vgg19, native, EngineKind::kNative)->Apply(batches);
BENCHMARK_CAPTURE(forward_vgg19, onednn, EngineKind::kOnednn)->Apply(batches);
BENCHMARK_CAPTURE(forward_vgg19, opencv, EngineKind::kOpencv)->Apply(batches);

}  // namespace
}  // namespace headstart

BENCHMARK_MAIN();
