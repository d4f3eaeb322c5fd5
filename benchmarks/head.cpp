// benchmarks/head.cpp: the head of the project's recipe: 314 rows of 25,088 features, 90 % zeros, 1,024
// hidden units, 10 classes, batch 32. Verifies the primal solver against its plain loop, measures this
// machine's bandwidth with the solver's traffic and no arithmetic, then times one step and one epoch as
// shares of it.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "head/aligned_floats.hpp"
#include "head/dense_product.hpp"
#include "head/gram_solver.hpp"
#include "head/primal_kernel.hpp"
#include "head/primal_solver.hpp"
#include "head/random.hpp"
#include "head/trainer.hpp"
#include "head/workers.hpp"

namespace {

using headstart::FeatureRows;
using headstart::Matrix;
using headstart::PrimalSolver;
using headstart::Random;
using headstart::RowIndex;
using headstart::SgdStep;
using Clock = std::chrono::steady_clock;

constexpr std::int64_t kFeatures = 25'088;
constexpr int kHidden = 1024;
constexpr int kClasses = 10;
constexpr std::int32_t kTrainingRows = 314;
constexpr std::int32_t kValidationRows = 79;
constexpr std::size_t kBatch = 32;
constexpr double kDensity = 0.1;
// Read and write W and V, once a step.
constexpr double kStepBytes = 16.0 * static_cast<double>(kFeatures) * kHidden;
constexpr SgdStep kSgd{.learning_rate = 1e-6, .momentum = 0.9, .nesterov = false, .l2 = 1e-4};

// Activations of the size VGG16's last pool has: |x|^2 near a million.
struct Activations {
  std::vector<std::int64_t> indptr{0};
  std::vector<std::int32_t> indices;
  std::vector<float> values;
  std::vector<std::int32_t> labels;
  std::vector<RowIndex> rows;

  Activations() {
    Random random(1);
    for (RowIndex row = 0; row < kTrainingRows + kValidationRows; ++row) {
      for (std::int32_t feature = 0; feature < kFeatures; ++feature) {
        if (static_cast<double>(random.uniform()) >= kDensity) continue;
        indices.push_back(feature);
        values.push_back(35.0F * random.uniform());
      }
      indptr.push_back(static_cast<std::int64_t>(indices.size()));
      labels.push_back(static_cast<std::int32_t>(random.below(kClasses)));
      rows.push_back(row);
    }
  }

  [[nodiscard]] FeatureRows view() const { return {kFeatures, indptr, indices, values}; }
  [[nodiscard]] std::span<const RowIndex> training() const { return std::span(rows).first(kTrainingRows); }
  [[nodiscard]] std::span<const RowIndex> validation() const {
    return std::span(rows).subspan(kTrainingRows);
  }
};

const Activations& activations() {
  static const Activations kActivations;
  return kActivations;
}

const Matrix& initial_kernel() {
  static const Matrix kKernel = [] {
    Random random(2);
    return headstart::glorot_uniform(kFeatures, kHidden, random).kernel;
  }();
  return kKernel;
}

Matrix random_gradient() {
  Random random(3);
  Matrix dz(static_cast<Eigen::Index>(kBatch), kHidden);
  for (Eigen::Index i = 0; i < dz.size(); ++i) dz.data()[i] = 1e-3F * (random.uniform() - 0.5F);
  return dz;
}

std::span<const RowIndex> batch_of(std::size_t step) {
  constexpr std::size_t kWholeBatches = kTrainingRows / kBatch;
  return activations().training().subspan(step % kWholeBatches * kBatch, kBatch);
}

int all_threads() { return static_cast<int>(std::max(1U, std::thread::hardware_concurrency())); }

// Bytes a second of two arrays read and written in place, W and V without their arithmetic: the best of
// several runs, because this is the bound that the shares are of.
double measured_bandwidth(int threads) {
  constexpr std::size_t kParts = 16;
  constexpr std::size_t kPart = static_cast<std::size_t>(kFeatures) * kHidden / kParts;
  headstart::Workers workers(threads);
  headstart::AlignedFloats w(kPart * kParts);
  headstart::AlignedFloats v(kPart * kParts);
  workers.for_each(kParts, [&](std::size_t part) {
    std::fill_n(w.span().begin() + static_cast<std::ptrdiff_t>(part * kPart), kPart, 0.0F);
    std::fill_n(v.span().begin() + static_cast<std::ptrdiff_t>(part * kPart), kPart, 1.0F);
  });
  double best = std::numeric_limits<double>::infinity();
  for (int repetition = 0; repetition < 20; ++repetition) {
    const Clock::time_point start = Clock::now();
    workers.for_each(kParts, [&](std::size_t part) {
      float* const wp = w.span().data() + part * kPart;
      float* const vp = v.span().data() + part * kPart;
      for (std::size_t i = 0; i < kPart; ++i) {
        vp[i] *= 0.9F;
        wp[i] += vp[i];
      }
    });
    benchmark::ClobberMemory();
    best = std::min(best, std::chrono::duration<double>(Clock::now() - start).count());
  }
  return kStepBytes / best;
}

double relative_difference(const Matrix& a, const Matrix& b) {
  return std::sqrt((a - b).cast<double>().squaredNorm() / b.cast<double>().squaredNorm());
}

// W, products and |W|^2 of two steps, against the plain loop.
double error_against_reference() {
  const Matrix dz = random_gradient();
  Matrix z(static_cast<Eigen::Index>(kBatch), kHidden);
  Matrix expected_z = z;
  PrimalSolver expected(activations().view(), initial_kernel(), 0, headstart::reference_primal_kernel(),
                        headstart::Blocks::kAlways);
  PrimalSolver found(activations().view(), initial_kernel(), 0, headstart::best_primal_kernel(),
                     headstart::blocks_for(initial_kernel()));
  for (std::size_t step = 0; step < 2; ++step) {
    expected.step(batch_of(step), dz, kSgd, batch_of(step + 1), expected_z);
    found.step(batch_of(step), dz, kSgd, batch_of(step + 1), z);
  }
  const Matrix expected_kernel = expected.kernel();
  return std::max({relative_difference(z, expected_z), relative_difference(found.kernel(), expected_kernel),
                   std::abs(found.squared_norm() / expected.squared_norm() - 1.0),
                   // A kernel that never moved would agree as well.
                   relative_difference(initial_kernel(), expected_kernel) > 1e-6
                       ? 0.0
                       : std::numeric_limits<double>::infinity()});
}

bool verified(benchmark::State& state) {
  static const double kError = error_against_reference();
  if (kError <= 2e-6) return true;
  state.SkipWithError("the solver disagrees with the plain loop: not timed");
  return false;
}

// Tells what one iteration took and what that means. @param seconds of all iterations together
void count(benchmark::State& state, double seconds, double steps, double rows, double bandwidth) {
  const double per_iteration = seconds / static_cast<double>(state.iterations());
  const double speed = steps * kStepBytes / per_iteration;
  state.counters["GB/s"] = speed * 1e-9;
  state.counters["measured_GB/s"] = bandwidth * 1e-9;
  state.counters["share"] = speed / bandwidth;
  state.counters["samples/s"] = rows / per_iteration;
}

void primal_step(benchmark::State& state) {
  if (!verified(state)) return;
  const int threads = static_cast<int>(state.range(0));
  const double bandwidth = measured_bandwidth(threads);
  PrimalSolver solver(activations().view(), initial_kernel(), threads, headstart::best_primal_kernel(),
                      headstart::blocks_for(initial_kernel()));
  const Matrix dz = random_gradient();
  Matrix z(static_cast<Eigen::Index>(kBatch), kHidden);
  std::size_t step = 0;
  double seconds = 0.0;
  for (auto iteration : state) {
    static_cast<void>(iteration);
    const Clock::time_point start = Clock::now();
    solver.step(batch_of(step), dz, kSgd, batch_of(step + 1), z);
    const double elapsed = std::chrono::duration<double>(Clock::now() - start).count();
    state.SetIterationTime(elapsed);
    seconds += elapsed;
    ++step;
  }
  count(state, seconds, 1.0, static_cast<double>(kBatch), bandwidth);
}

headstart::TrainingOptions recipe(int threads) {
  headstart::TrainingOptions options;
  options.hidden = {kHidden};
  options.learning_rate = kSgd.learning_rate;
  options.l2 = kSgd.l2;
  options.batch = static_cast<int>(kBatch);
  options.threads = threads;
  return options;
}

headstart::TrainingData recipe_data(bool validation) {
  return {activations().view(), activations().labels, activations().training(),
          validation ? activations().validation() : std::span<const RowIndex>{}, kClasses};
}

// A whole epoch of training with validation, set-up and the copy of the result left out.
void primal_epoch(benchmark::State& state) {
  if (!verified(state)) return;
  headstart::TrainingOptions options = recipe(static_cast<int>(state.range(0)));
  options.solver = headstart::Solver::kPrimal;
  options.epochs = 4;
  const double bandwidth = measured_bandwidth(options.threads);
  const headstart::Head initial = headstart::initial_head(kFeatures, kClasses, options);
  double seconds = 0.0;
  for (auto iteration : state) {
    static_cast<void>(iteration);
    const headstart::TrainingResult result = headstart::train_head(recipe_data(true), initial, options);
    double warm = 0.0;
    for (std::size_t e = 1; e < result.history.size(); ++e) warm += result.history[e].seconds;
    const double elapsed = warm / static_cast<double>(result.history.size() - 1);
    state.SetIterationTime(elapsed);
    seconds += elapsed;
  }
  constexpr std::size_t kSteps = (kTrainingRows + kBatch - 1) / kBatch;
  count(state, seconds, static_cast<double>(kSteps), kTrainingRows, bandwidth);
}

// Multiply-adds a second of a dense product whose blocks lie in L1, as the gram solver's do in L2: its bound.
double measured_flops(int threads) {
  constexpr std::size_t kProducts = 64;
  headstart::Workers workers(threads);
  const Matrix a = Matrix::Constant(48, 256, 0.5F);
  const Matrix b = Matrix::Constant(256, 64, 0.5F);
  std::vector<Matrix> c(kProducts, Matrix::Zero(48, 64));
  double best = std::numeric_limits<double>::infinity();
  for (int repetition = 0; repetition < 20; ++repetition) {
    const Clock::time_point start = Clock::now();
    workers.for_each(kProducts, [&](std::size_t i) {
      for (int j = 0; j < 20; ++j) headstart::add_product(a, b, c[i]);
    });
    benchmark::ClobberMemory();
    best = std::min(best, std::chrono::duration<double>(Clock::now() - start).count());
  }
  return 2.0 * 48 * 256 * 64 * 20 * kProducts / best;
}

// The gram solver's epoch, without validation, and its 4 b n h flops a step as a share of the dense
// product's.
void gram_epoch(benchmark::State& state) {
  headstart::TrainingOptions options = recipe(static_cast<int>(state.range(0)));
  options.solver = headstart::Solver::kGram;
  options.epochs = 20;
  const double flops = measured_flops(options.threads);
  const headstart::Head initial = headstart::initial_head(kFeatures, kClasses, options);
  double seconds = 0.0;
  for (auto iteration : state) {
    static_cast<void>(iteration);
    const headstart::TrainingResult result = headstart::train_head(recipe_data(false), initial, options);
    double warm = 0.0;
    for (std::size_t e = 1; e < result.history.size(); ++e) warm += result.history[e].seconds;
    const double elapsed = warm / static_cast<double>(result.history.size() - 1);
    state.SetIterationTime(elapsed);
    seconds += elapsed;
  }
  const double epoch_seconds = seconds / static_cast<double>(state.iterations());
  state.counters["GFLOP/s"] = 4.0 * kTrainingRows * kTrainingRows * kHidden / epoch_seconds * 1e-9;
  state.counters["measured_GFLOP/s"] = flops * 1e-9;
  state.counters["share"] = 4.0 * kTrainingRows * kTrainingRows * kHidden / epoch_seconds / flops;
}

// What surrounds a gram run's epochs: K, X W_0 and |W_0|^2; then W.
void gram_set_up(benchmark::State& state) {
  for (auto iteration : state) {
    static_cast<void>(iteration);
    Matrix initial = initial_kernel();
    const Clock::time_point start = Clock::now();
    headstart::GramSolver solver(activations().view(), std::move(initial), activations().training(),
                                 static_cast<int>(state.range(0)));
    benchmark::DoNotOptimize(solver);
    state.SetIterationTime(std::chrono::duration<double>(Clock::now() - start).count());
  }
}

void gram_final_kernel(benchmark::State& state) {
  Matrix none(0, kHidden);
  for (auto iteration : state) {
    static_cast<void>(iteration);
    headstart::GramSolver solver(activations().view(), initial_kernel(), activations().training(),
                                 static_cast<int>(state.range(0)));
    solver.step(batch_of(0), random_gradient(), kSgd, {}, none);
    const Clock::time_point start = Clock::now();
    const Matrix kernel = solver.release_kernel();
    benchmark::DoNotOptimize(kernel.data());
    state.SetIterationTime(std::chrono::duration<double>(Clock::now() - start).count());
  }
}

void one_and_all_threads(benchmark::internal::Benchmark* program) {
  program->Arg(1);
  if (all_threads() > 1) program->Arg(all_threads());
}

BENCHMARK(primal_step)
    ->Apply(one_and_all_threads)
    ->ArgName("threads")
    ->Unit(benchmark::kMillisecond)
    ->UseManualTime();
BENCHMARK(primal_epoch)
    ->Apply(one_and_all_threads)
    ->ArgName("threads")
    ->Unit(benchmark::kMillisecond)
    ->UseManualTime();
BENCHMARK(gram_epoch)
    ->Apply(one_and_all_threads)
    ->ArgName("threads")
    ->Unit(benchmark::kMillisecond)
    ->UseManualTime();
BENCHMARK(gram_set_up)
    ->Apply(one_and_all_threads)
    ->ArgName("threads")
    ->Unit(benchmark::kMillisecond)
    ->UseManualTime();
BENCHMARK(gram_final_kernel)
    ->Apply(one_and_all_threads)
    ->ArgName("threads")
    ->Unit(benchmark::kMillisecond)
    ->UseManualTime();

}  // namespace

BENCHMARK_MAIN();
