// benchmarks/convolution.cpp: benchmark_convolution [--batch N] [--threads N] [--rounds N] [--layer NAME]
// [--outputs M] [--tiles T] [--phases|--fused]: each of VGG16's convolutions by the native kernels: time,
// GFLOP/s as a direct convolution counts them and as they are multiplied, and the share of the peak, which is
// measured beside each layer. A layer's result is first held against sums in double.
#include <fmt/format.h>

#define HWY_DISABLED_TARGETS 0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "benchmarks/convolution.cpp"
#include <hwy/foreach_target.h>  // before highway.h
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace headstart {
namespace HWY_NAMESPACE {  // NOLINT(readability-identifier-naming): Highway names one namespace per target

namespace hn = hwy::HWY_NAMESPACE;

/// Twelve sums in flight, as FMA's latency wants; returns operations.
double multiply_and_add(std::size_t rounds, float* sink) {
  const hn::CappedTag<float, 16> d;
  const auto factor = hn::Set(d, 0.999F);
  const auto term = hn::Set(d, 1e-3F);
  // All different, or the compiler computes one for all.
  auto s0 = term, s1 = hn::Add(s0, term), s2 = hn::Add(s1, term), s3 = hn::Add(s2, term);
  auto s4 = hn::Add(s3, term), s5 = hn::Add(s4, term), s6 = hn::Add(s5, term), s7 = hn::Add(s6, term);
  auto s8 = hn::Add(s7, term), s9 = hn::Add(s8, term), s10 = hn::Add(s9, term), s11 = hn::Add(s10, term);
  for (std::size_t i = 0; i < rounds; ++i) {
    s0 = hn::MulAdd(s0, factor, term);
    s1 = hn::MulAdd(s1, factor, term);
    s2 = hn::MulAdd(s2, factor, term);
    s3 = hn::MulAdd(s3, factor, term);
    s4 = hn::MulAdd(s4, factor, term);
    s5 = hn::MulAdd(s5, factor, term);
    s6 = hn::MulAdd(s6, factor, term);
    s7 = hn::MulAdd(s7, factor, term);
    s8 = hn::MulAdd(s8, factor, term);
    s9 = hn::MulAdd(s9, factor, term);
    s10 = hn::MulAdd(s10, factor, term);
    s11 = hn::MulAdd(s11, factor, term);
  }
  s0 = hn::Add(hn::Add(hn::Add(s0, s1), hn::Add(s2, s3)), hn::Add(hn::Add(s4, s5), hn::Add(s6, s7)));
  s0 = hn::Add(s0, hn::Add(hn::Add(s8, s9), hn::Add(s10, s11)));
  hn::StoreU(s0, d, sink);
  return 24.0 * static_cast<double>(rounds) * static_cast<double>(hn::Lanes(d));
}

}  // namespace HWY_NAMESPACE
}  // namespace headstart
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

#include <tbb/task_arena.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "features/vgg16.hpp"
#include "features/winograd/convolution.hpp"
#include "features/winograd/image_convolution.hpp"

namespace headstart {
namespace {

using Clock = std::chrono::steady_clock;
using winograd::ActivationMap;
using winograd::Convolution;
using winograd::ImageConvolution;
using winograd::kBlock;
using winograd::Method;
using winograd::Workspace;

HWY_EXPORT(multiply_and_add);

struct Options {
  int batch = 8;
  int threads = tbb::this_task_arena::max_concurrency();
  int rounds = 7;
  std::string layer;
  std::optional<int> outputs;
  std::optional<std::size_t> tiles;
  std::optional<bool> fused;
};

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// Multiplications and additions a second of all threads together, from registers.
double measure_peak(Workspace& workspace, int threads) {
  double flop = 0.0;
  const auto begin = Clock::now();
  workspace.execute([&] {
    std::vector<double> done(static_cast<std::size_t>(threads));
    workspace.for_each(done.size(), [&](std::size_t task, float*) {
      float sink[16];
      done[task] = HWY_DYNAMIC_DISPATCH(multiply_and_add)(4'000'000, sink);
    });
    for (const double part : done) flop += part;
  });
  return flop / seconds_since(begin);
}

std::vector<float> noise(std::size_t count, unsigned seed, float low, float high) {
  std::minstd_rand random(seed + 1);
  std::uniform_real_distribution<float> value(low, high);
  std::vector<float> values(count);
  for (float& v : values) v = value(random);
  return values;
}

/// Some pixels of all channels against their sums in double.
void check(const ConvolutionWeights& weights, const ActivationMap& source, std::span<const float> from,
           const ActivationMap& destination, std::span<const float> to, bool pool) {
  std::minstd_rand random(7);
  double difference = 0.0;
  double norm = 0.0;
  const int size = source.shape.height;
  const auto out = static_cast<std::size_t>(destination.shape.channels);
  const auto in = static_cast<std::size_t>(source.shape.channels);
  const auto sum_at = [&](int y, int x, std::size_t k) {
    double sum = static_cast<double>(weights.bias[k]);
    for (int dy = 0; dy < 3; ++dy) {
      for (int dx = 0; dx < 3; ++dx) {
        const int row = y + dy - 1;
        const int column = x + dx - 1;
        if (row < 0 || row >= size || column < 0 || column >= size) continue;
        const std::size_t at =
            source.pixel(0, static_cast<std::size_t>(row), static_cast<std::size_t>(column));
        const float* const kernel =
            weights.kernel.data() + static_cast<std::size_t>(dy * 3 + dx) * in * out + k;
        for (std::size_t c = 0; c < in; ++c) {
          sum += static_cast<double>(from[at + c / kBlock * source.block_stride() + c % kBlock]) *
                 static_cast<double>(kernel[c * out]);
        }
      }
    }
    return std::max(sum, 0.0);
  };
  for (int i = 0; i < 200; ++i) {
    const int y = static_cast<int>(random() % static_cast<unsigned>(destination.shape.height));
    const int x = static_cast<int>(random() % static_cast<unsigned>(destination.shape.width));
    const std::size_t k = random() % out;
    double expected = 0.0;
    if (pool) {
      for (int corner = 0; corner < 4; ++corner)
        expected = std::max(expected, sum_at(2 * y + corner / 2, 2 * x + corner % 2, k));
    } else {
      expected = sum_at(y, x, k);
    }
    const double found = static_cast<double>(
        to[destination.pixel(0, static_cast<std::size_t>(y), static_cast<std::size_t>(x)) +
           k / kBlock * destination.block_stride() + k % kBlock]);
    difference += (found - expected) * (found - expected);
    norm += expected * expected;
  }
  const double error = std::sqrt(difference / norm);
  if (!(error < 2e-5)) throw std::runtime_error(fmt::format("the result is wrong: relative error {}", error));
}

struct Total {
  double seconds = 0.0;
  double direct = 0.0;
  double real = 0.0;
  double of_peak = 0.0;
};

void measure(const Options& options, std::size_t index, Total& total) {
  const ConvolutionLayer& layer = kVgg16Convolutions[index];
  const int size = 224 >> (layer.block - 1);
  const winograd::Kernels kernels = winograd::best_kernels();
  const bool ends_block =
      index + 1 == kVgg16Convolutions.size() || kVgg16Convolutions[index + 1].block != layer.block;
  Method method = winograd::choose_method(layer.in_channels, layer.out_channels, size,
                                          winograd::this_machine(kernels.tiles));
  if (options.outputs) method.outputs = *options.outputs;
  if (options.tiles) method.tiles = *options.tiles;
  if (options.fused) method.fused = *options.fused;
  const bool pool = ends_block && method.outputs % 2 == 0;
  const std::size_t across = winograd::tiles_across(size, method.outputs);
  const ActivationMap source = ActivationMap::before({size, size, layer.in_channels}, method.outputs);
  const int side = pool ? size / 2 : size;
  const ActivationMap destination = ActivationMap::plain({side, side, layer.out_channels});
  const auto in = static_cast<std::size_t>(layer.in_channels);
  const auto out = static_cast<std::size_t>(layer.out_channels);
  const float scale = 1.0F / std::sqrt(static_cast<float>(9 * in));
  const ConvolutionWeights weights{noise(9 * in * out, 1, -scale, scale), noise(out, 2, -0.1F, 0.1F)};

  Workspace workspace(options.threads);
  const Convolution convolution(kernels, weights, method, options.batch, source, destination, pool,
                                workspace);
  workspace.reserve(convolution.workspace());
  const auto images = static_cast<std::size_t>(options.batch);
  AlignedFloats from(images * source.image_stride());
  AlignedFloats to(images * destination.image_stride());
  std::ranges::fill(from.span(), 0.0F);
  const std::vector<float> values = noise(1 << 16, 3, 0.0F, 1.0F);
  for (std::size_t row = 0; row < images * source.blocks() * static_cast<std::size_t>(size); ++row) {
    float* const first = from.span().data() + row * source.row_stride() + kBlock;
    for (std::size_t i = 0; i < static_cast<std::size_t>(size) * kBlock; ++i)
      first[i] = values[(row * 977 + i) % values.size()];
  }
  const auto run = [&] {
    workspace.execute([&] { convolution.run(from.span().data(), to.span().data(), workspace); });
  };
  run();
  check(weights, source, from.span(), destination, to.span(), pool);
  double seconds = 1e9;
  double peak = 0.0;
  for (int round = 0; round < options.rounds; ++round) {
    const auto begin = Clock::now();
    run();
    seconds = std::min(seconds, seconds_since(begin));
    peak = std::max(peak, measure_peak(workspace, options.threads));
  }
  seconds /= options.batch;
  const double inputs = method.outputs + 2;
  const double direct = 18.0 * static_cast<double>(in * out) * size * size;
  const double real = 2.0 * static_cast<double>(in * out * across * across) * inputs * inputs;
  fmt::print("{:<13} F({},3) {:<6} {:3} {:8.2f} {:9.1f} {:9.1f} {:7.0f} {:6.1f}%\n", layer.name,
             method.outputs, method.fused ? "fused" : "phases",
             method.fused ? method.tiles : across * across * std::min(images, method.images), seconds * 1e3,
             direct / seconds / 1e9, real / seconds / 1e9, peak / 1e9, 100.0 * real / seconds / peak);
  std::fflush(stdout);
  total.seconds += seconds;
  total.direct += direct;
  total.real += real;
  total.of_peak += real / peak;
}

Options parse(int count, char** arguments) {
  Options options;
  for (int i = 1; i < count; ++i) {
    const std::string_view name = arguments[i];
    if (name == "--fused" || name == "--phases") {
      options.fused = name == "--fused";
      continue;
    }
    if (i + 1 == count) throw std::runtime_error(fmt::format("{} needs a value", name));
    const char* const value = arguments[++i];
    if (name == "--batch") {
      options.batch = std::atoi(value);
    } else if (name == "--threads") {
      options.threads = std::atoi(value);
    } else if (name == "--rounds") {
      options.rounds = std::atoi(value);
    } else if (name == "--layer") {
      options.layer = value;
    } else if (name == "--outputs") {
      options.outputs = std::atoi(value);
    } else if (name == "--tiles") {
      options.tiles = static_cast<std::size_t>(std::atoi(value));
    } else {
      throw std::runtime_error(fmt::format("unknown option: {}", name));
    }
  }
  return options;
}

void run(const Options& options) {
  fmt::print("{}, batch {}, {} threads; milliseconds an image, fastest of {} rounds\n",
             winograd::best_kernels().target, options.batch, options.threads, options.rounds);
  fmt::print("{:<13} {:<13} {:>4} {:>8} {:>9} {:>9} {:>7} {:>7}\n", "layer", "method", "tiles", "ms",
             "direct", "GFLOP/s", "peak", "share");
  Total total;
  for (std::size_t i = 1; i < kVgg16Convolutions.size(); ++i) {
    if (kVgg16Convolutions[i].name.find(options.layer) == std::string_view::npos) continue;
    measure(options, i, total);
  }
  fmt::print("{:<32} {:8.2f} {:9.1f} {:9.1f} {:7} {:6.1f}%\n", "all", total.seconds * 1e3,
             total.direct / total.seconds / 1e9, total.real / total.seconds / 1e9, "",
             100.0 * total.of_peak / total.seconds);
}

}  // namespace
}  // namespace headstart

int main(int count, char** arguments) {
  try {
    headstart::run(headstart::parse(count, arguments));
  } catch (const std::exception& error) {
    fmt::print(stderr, "benchmark_convolution: error: {}\n", error.what());
    return 1;
  }
  return 0;
}

#endif  // HWY_ONCE
