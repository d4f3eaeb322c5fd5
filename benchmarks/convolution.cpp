// benchmarks/convolution.cpp: each of VGG16's convolutions by the native kernels: time, GFLOP/s as a direct
// convolution counts them and as they are multiplied, and the share of the peak, which is measured beside
// each. A layer's result is first held against sums in double.
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

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <functional>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "features/engines/winograd/convolution.hpp"
#include "features/engines/winograd/image_convolution.hpp"
#include "features/network/known_networks.hpp"

namespace headstart {
namespace {

using Clock = std::chrono::steady_clock;
using winograd::ActivationMap;
using winograd::Convolution;
using winograd::Ending;
using winograd::ImageConvolution;
using winograd::kBlock;
using winograd::Kernels;
using winograd::Method;
using winograd::Workspace;

HWY_EXPORT(multiply_and_add);

constexpr int kInputSize = 224;

struct Options {
  int batch = 8;
  int threads = tbb::this_task_arena::max_concurrency();
  int rounds = 7;
  std::string layer;
  int outputs = 0;  // 0: as choose_method() says; so are the others
  std::size_t tiles = 0;
  std::string order;
  bool no_avx512 = false;
};

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// Multiplications and additions a second of all threads together, from registers.
double measure_peak(Workspace& workspace) {
  std::vector<double> flop(workspace.threads());
  const auto begin = Clock::now();
  workspace.execute([&] {
    workspace.for_each(flop.size(), [&](std::size_t task, float*) {
      float sink[16];
      flop[task] = HWY_DYNAMIC_DISPATCH(multiply_and_add)(4'000'000, sink);
    });
  });
  double sum = 0.0;
  for (const double part : flop) sum += part;
  return sum / seconds_since(begin);
}

std::vector<float> noise(std::size_t count, unsigned seed, float low, float high) {
  std::minstd_rand random(seed + 1);
  std::uniform_real_distribution<float> value(low, high);
  std::vector<float> values(count);
  for (float& v : values) v = value(random);
  return values;
}

const std::vector<NetworkLayer>& vgg16_convolutions() {
  static const std::vector<NetworkLayer> layers = convolutions(vgg16());
  return layers;
}

ConvolutionWeights made_up_weights(const NetworkLayer& layer) {
  const auto in = static_cast<std::size_t>(layer.in_channels);
  const auto out = static_cast<std::size_t>(layer.out_channels);
  const float scale = 1.0F / std::sqrt(static_cast<float>(9 * in));
  return {noise(9 * in * out, 1, -scale, scale), noise(out, 2, -0.1F, 0.1F)};
}

/// Channel c of pixel (y, x) of the first image, 0 outside.
using ValueAt = std::function<double(int y, int x, std::size_t c)>;

/// relu(conv + bias) of channel k at (y, x), in double.
double convolved(const ConvolutionWeights& weights, std::size_t in, const ValueAt& value_at, int y, int x,
                 std::size_t k) {
  const std::size_t out = weights.bias.size();
  double sum = static_cast<double>(weights.bias[k]);
  for (int tap = 0; tap < 9; ++tap) {
    for (std::size_t c = 0; c < in; ++c) {
      sum += value_at(y + tap / 3 - 1, x + tap % 3 - 1, c) *
             static_cast<double>(weights.kernel[(static_cast<std::size_t>(tap) * in + c) * out + k]);
    }
  }
  return std::max(sum, 0.0);
}

bool inside(int y, int x, int size) { return y >= 0 && y < size && x >= 0 && x < size; }

/// Some pixels of the first image against their sums in double.
void check(const ConvolutionWeights& weights, std::size_t in, const ValueAt& value_at,
           const ActivationMap& map, std::span<const float> found_map, bool pool) {
  std::minstd_rand random(7);
  double difference = 0.0;
  double norm = 0.0;
  for (int i = 0; i < 60; ++i) {
    const int y = static_cast<int>(random() % static_cast<unsigned>(map.shape.height));
    const int x = static_cast<int>(random() % static_cast<unsigned>(map.shape.width));
    const std::size_t k = random() % weights.bias.size();
    double expected = 0.0;
    for (int corner = 0; corner < (pool ? 4 : 1); ++corner) {
      const int row = pool ? 2 * y + corner / 2 : y;
      const int column = pool ? 2 * x + corner % 2 : x;
      expected = std::max(expected, convolved(weights, in, value_at, row, column, k));
    }
    const std::size_t at = map.pixel(0, static_cast<std::size_t>(y), static_cast<std::size_t>(x)) +
                           k / kBlock * map.block_stride() + k % kBlock;
    const auto found = static_cast<double>(found_map[at]);
    difference += (found - expected) * (found - expected);
    norm += expected * expected;
  }
  const double error = std::sqrt(difference / norm);
  if (!(error < 1e-5)) throw std::runtime_error(fmt::format("the result is wrong: relative error {}", error));
}

/// What was timed, an image.
struct Work {
  std::string name;
  std::string how;
  double direct_flop = 0.0;
  double real_flop = 0.0;
};

struct Total {
  double seconds = 0.0;
  double direct_flop = 0.0;
  double real_flop = 0.0;
  double seconds_at_peak = 0.0;
};

void time_and_print(const Options& options, Workspace& workspace, const Work& work,
                    const std::function<void()>& run, Total& total) {
  double seconds = 1e9;
  double peak = 0.0;
  for (int round = 0; round < options.rounds; ++round) {
    const auto begin = Clock::now();
    workspace.execute(run);
    seconds = std::min(seconds, seconds_since(begin) / options.batch);
    peak = std::max(peak, measure_peak(workspace));
  }
  fmt::print("{:<17} {:<21} {:7.2f} {:9.1f} {:9.1f} {:7.0f} {:7.1f}%\n", work.name, work.how, seconds * 1e3,
             work.direct_flop / seconds / 1e9, work.real_flop / seconds / 1e9, peak / 1e9,
             100.0 * work.real_flop / seconds / peak);
  std::fflush(stdout);
  total.seconds += seconds;
  total.direct_flop += work.direct_flop;
  total.real_flop += work.real_flop;
  total.seconds_at_peak += work.real_flop / peak;
}

Method method_of(const Options& options, const NetworkLayer& layer, int size, const Kernels& kernels) {
  Method method = winograd::choose_method(layer.in_channels, layer.out_channels, size,
                                          winograd::this_machine(kernels.tiles));
  if (options.outputs > 0) method.outputs = options.outputs;
  if (options.tiles > 0) method.tiles = options.tiles;
  if (!options.order.empty()) method.fused = options.order == "fused";
  return method;
}

Work work_of(const NetworkLayer& layer, int size, const Method& method, int batch) {
  const std::size_t across = winograd::tiles_across(size, method.outputs);
  const std::size_t together = across * across * std::min(static_cast<std::size_t>(batch), method.images);
  const double products = static_cast<double>(across * across) * (method.outputs + 2) * (method.outputs + 2);
  const double pairs = static_cast<double>(layer.in_channels) * layer.out_channels;
  return {.name = std::string(layer.name),
          .how = fmt::format("F({},3) {}, {}", method.outputs, method.fused ? "fused" : "phases",
                             method.fused ? method.tiles : together),
          .direct_flop = 18.0 * pairs * size * size,
          .real_flop = 2.0 * pairs * products};
}

/// block1_conv1 and block1_conv2, as the network runs them.
void measure_first_two(const Options& options, const Kernels& kernels, Total& total) {
  const NetworkLayer& first = vgg16_convolutions()[0];
  const NetworkLayer& second = vgg16_convolutions()[1];
  Method method = method_of(options, second, kInputSize, kernels);
  method.fused = true;  // what reads a ring of rows can't be anything else
  const bool pool = method.outputs % 2 == 0;
  const int side = pool ? kInputSize / 2 : kInputSize;
  const ActivationMap between =
      ActivationMap::before({kInputSize, kInputSize, second.in_channels}, method.outputs);
  const ActivationMap destination = ActivationMap::plain({side, side, second.out_channels});
  const ConvolutionWeights first_weights = made_up_weights(first);
  const ConvolutionWeights second_weights = made_up_weights(second);
  Workspace workspace(options.threads);
  Convolution convolution(kernels, method, options.batch, between, destination,
                          pool ? Ending::kReluAndPool : Ending::kRelu);
  workspace.execute([&] { convolution.set_weights(second_weights.kernel, second_weights.bias, workspace); });
  const ImageConvolution both(kernels, first_weights, options.batch, kInputSize, std::move(convolution),
                              between);
  workspace.reserve(both.workspace());
  const auto images = static_cast<std::size_t>(options.batch);
  const std::vector<float> batch = noise(images * kInputSize * kInputSize * 3, 3, -1.0F, 1.0F);
  AlignedFloats to(images * destination.image_stride());
  const auto run = [&] { both.run(batch.data(), to.span().data(), workspace); };
  workspace.execute(run);

  const ValueAt pixel = [&](int y, int x, std::size_t c) {
    if (!inside(y, x, kInputSize)) return 0.0;
    return static_cast<double>(batch[static_cast<std::size_t>(y * kInputSize + x) * 3 + c]);
  };
  const ValueAt value_between = [&](int y, int x, std::size_t c) {
    return inside(y, x, kInputSize) ? convolved(first_weights, 3, pixel, y, x, c) : 0.0;
  };
  check(second_weights, static_cast<std::size_t>(second.in_channels), value_between, destination, to.span(),
        pool);
  const double direct = 18.0 * first.in_channels * first.out_channels * kInputSize * kInputSize;
  Work work = work_of(second, kInputSize, method, options.batch);
  work.name = "block1_conv1, 2";
  work.direct_flop += direct;
  work.real_flop += direct;
  time_and_print(options, workspace, work, run, total);
}

void measure(const Options& options, std::size_t index, const Kernels& kernels, Total& total) {
  const NetworkLayer& layer = vgg16_convolutions()[index];
  const int size = kInputSize >> (layer.block - 1);
  const bool ends_block = is_pooled(vgg16(), layer);
  const Method method = method_of(options, layer, size, kernels);
  const bool pool = ends_block && method.outputs % 2 == 0;
  const int side = pool ? size / 2 : size;
  const ActivationMap source = ActivationMap::before({size, size, layer.in_channels}, method.outputs);
  const ActivationMap destination = ActivationMap::plain({side, side, layer.out_channels});
  const ConvolutionWeights weights = made_up_weights(layer);
  Workspace workspace(options.threads);
  Convolution convolution(kernels, method, options.batch, source, destination,
                          pool ? Ending::kReluAndPool : Ending::kRelu);
  workspace.execute([&] { convolution.set_weights(weights.kernel, weights.bias, workspace); });
  workspace.reserve(convolution.workspace());

  const auto images = static_cast<std::size_t>(options.batch);
  AlignedFloats from(images * source.image_stride());
  AlignedFloats to(images * destination.image_stride());
  std::ranges::fill(from.span(), 0.0F);
  const std::vector<float> values = noise(1U << 16U, 3, 0.0F, 1.0F);
  const std::size_t rows = images * source.blocks() * static_cast<std::size_t>(size);
  for (std::size_t row = 0; row < rows; ++row) {
    float* const first = from.span().data() + row * source.row_stride() + kBlock;
    for (std::size_t i = 0; i < static_cast<std::size_t>(size) * kBlock; ++i)
      first[i] = values[(row * 977 + i) % values.size()];
  }
  const auto run = [&] { convolution.run(from.span().data(), to.span().data(), workspace); };
  workspace.execute(run);
  const ValueAt value_at = [&](int y, int x, std::size_t c) {
    if (!inside(y, x, size)) return 0.0;
    const std::size_t at = source.pixel(0, static_cast<std::size_t>(y), static_cast<std::size_t>(x));
    return static_cast<double>(from.span()[at + c / kBlock * source.block_stride() + c % kBlock]);
  };
  check(weights, static_cast<std::size_t>(layer.in_channels), value_at, destination, to.span(), pool);
  time_and_print(options, workspace, work_of(layer, size, method, options.batch), run, total);
}

void run(const Options& options) {
  const Kernels kernels = winograd::best_kernels();
  fmt::print("{}, batch {}, {} threads; milliseconds an image, fastest of {} rounds\n", kernels.target,
             options.batch, options.threads, options.rounds);
  fmt::print("{:<17} {:<21} {:>7} {:>9} {:>9} {:>7} {:>8}\n", "layer", "method, tiles", "ms", "direct",
             "GFLOP/s", "peak", "of peak");
  Total total;
  for (std::size_t i = 1; i < vgg16_convolutions().size(); ++i) {
    if (vgg16_convolutions()[i].name.find(options.layer) == std::string::npos) continue;
    if (i == 1) {
      measure_first_two(options, kernels, total);
    } else {
      measure(options, i, kernels, total);
    }
  }
  if (total.seconds == 0.0) throw std::runtime_error(fmt::format("no layer is called {}", options.layer));
  fmt::print("{:<39} {:7.2f} {:9.1f} {:9.1f} {:7} {:7.1f}%\n", "all", total.seconds * 1e3,
             total.direct_flop / total.seconds / 1e9, total.real_flop / total.seconds / 1e9, "",
             100.0 * total.seconds_at_peak / total.seconds);
}

}  // namespace
}  // namespace headstart

int main(int count, char** arguments) {
  headstart::Options options;
  CLI::App app("VGG16's convolutions by the native kernels, layer by layer, beside the CPU's peak");
  app.add_option("--batch", options.batch, "Images at a time")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("--threads", options.threads)->check(CLI::Range(1, 256))->capture_default_str();
  app.add_option("--rounds", options.rounds, "The fastest counts")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--layer", options.layer, "Only layers whose name has this in it, e.g. block3");
  app.add_option("--outputs", options.outputs, "m of F(m,3), instead of the chosen one")
      ->check(CLI::Range(4, 6));
  app.add_option("--tiles", options.tiles, "Fused: tiles at a time")->check(CLI::Range(1, 1000));
  app.add_option("--order", options.order, "fused or phases, block1 excepted")
      ->check(CLI::IsMember({"fused", "phases"}));
#if HWY_ARCH_X86
  app.add_flag("--no-avx512", options.no_avx512, "As on a CPU that has AVX2 and no more");
#endif
  CLI11_PARSE(app, count, arguments);
#if HWY_ARCH_X86
  if (options.no_avx512) hwy::DisableTargets(HWY_AVX2 - 1);  // better ones have lower bits
#endif
  try {
    headstart::run(options);
  } catch (const std::exception& error) {
    fmt::print(stderr, "benchmark_convolution: error: {}\n", error.what());
    return 1;
  }
  return 0;
}

#endif  // HWY_ONCE
