// benchmarks/head.cpp: the head of the project's recipe: 314 rows of 25,088 features, 90 % zeros, 1,024
// hidden units, 10 classes, batch 32. Verifies the primal solver against its plain loop, measures this
// machine's bandwidth with the solver's traffic and no arithmetic and its multiply-adds in cache, then times
// one step and one epoch as shares of what these allow. primal_large_epoch is the same head on 20,000 made-up
// rows that can be learned: the second of two epochs on all threads, timed once, and an error where the loss
// doesn't fall from the first to it.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "head/layers/dense_product.hpp"
#include "head/layers/gram_solver.hpp"
#include "head/layers/primal_kernel.hpp"
#include "head/layers/primal_solver.hpp"
#include "head/random.hpp"
#include "head/training/trainer.hpp"
#include "head/workers.hpp"
#include "memory/aligned_floats.hpp"

namespace {

using headstart::Matrix;
using headstart::PrimalSolver;
using headstart::Random;
using headstart::RowIndex;
using headstart::SgdStep;
using headstart::SparseRowsView;
using Clock = std::chrono::steady_clock;

constexpr std::int64_t kFeatures = 25'088;
constexpr int kHidden = 1024;
constexpr int kClasses = 10;
constexpr std::int32_t kTrainingRows = 314;
constexpr std::int32_t kValidationRows = 79;
constexpr std::int32_t kLargeRows = 20'000;
constexpr std::size_t kBatch = 32;
constexpr double kDensity = 0.1;
constexpr double kElements = static_cast<double>(kFeatures) * kHidden;
// Read and write W and V, once.
constexpr double kPassBytes = 16.0 * kElements;
constexpr SgdStep kSgd{.learning_rate = 1e-6, .momentum = 0.9, .nesterov = false, .l2 = 1e-4};

struct LabelledRows {
  std::vector<std::int64_t> indptr{0};
  std::vector<std::int32_t> indices;
  std::vector<float> values;
  std::vector<std::int32_t> labels;
  std::vector<RowIndex> rows;

  [[nodiscard]] SparseRowsView view() const { return {kFeatures, indptr, indices, values}; }
};

// Activations of the size VGG16's last pool has: |x|^2 near a million.
struct Activations : LabelledRows {
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

  [[nodiscard]] std::span<const RowIndex> training() const { return std::span(rows).first(kTrainingRows); }
  [[nodiscard]] std::span<const RowIndex> validation() const {
    return std::span(rows).subspan(kTrainingRows);
  }
};

const Activations& activations() {
  static const Activations kActivations;
  return kActivations;
}

// Enough rows for an epoch of 625 steps, 400 MB of them. The features whose number ends in a row's label are
// larger there, so that there is something to learn; |x|^2 is near a million here, too.
struct LargeActivations : LabelledRows {
  LargeActivations() {
    // A gap before every non-zero, ten on average, takes a fifth of the draws that a decision for every
    // feature takes.
    constexpr std::uint64_t kLargestGap = 19;
    constexpr auto kExpected = static_cast<std::size_t>(kDensity * kFeatures * kLargeRows);
    indices.reserve(kExpected + kExpected / 100);  // growing would hold them twice
    values.reserve(kExpected + kExpected / 100);
    Random random(4);
    for (RowIndex row = 0; row < kLargeRows; ++row) {
      const auto label = static_cast<std::int32_t>(random.below(kClasses));
      for (auto feature = static_cast<std::int32_t>(random.below(kLargestGap)); feature < kFeatures;
           feature += 1 + static_cast<std::int32_t>(random.below(kLargestGap))) {
        indices.push_back(feature);
        values.push_back((feature % kClasses == label ? 90.0F : 25.0F) * random.uniform());
      }
      indptr.push_back(static_cast<std::int64_t>(indices.size()));
      labels.push_back(label);
      rows.push_back(row);
    }
  }

  [[nodiscard]] headstart::TrainingData training() const { return {view(), labels, rows, {}, kClasses}; }
};

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

// Those that this process may use, which may be fewer than the machine has.
int all_threads() { return headstart::Workers(0).threads(); }

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
  return kPassBytes / best;
}

double relative_difference(const Matrix& a, const Matrix& b) {
  return std::sqrt((a - b).cast<double>().squaredNorm() / b.cast<double>().squaredNorm());
}

// W, products and |W|^2 after a block of steps and one more, against the plain loops one step at a time.
double error_against_reference() {
  constexpr std::size_t kSteps = headstart::kMostPlannedRows / kBatch + 1;
  const Matrix dz = random_gradient();
  Matrix z(static_cast<Eigen::Index>(kBatch), kHidden);
  Matrix expected_z = z;
  PrimalSolver expected(activations().view(), initial_kernel(), 0, headstart::reference_primal_kernel(),
                        headstart::Blocks::kNever);
  PrimalSolver found(activations().view(), initial_kernel(), 0, headstart::best_primal_kernel(),
                     headstart::Blocks::kAlways);
  // The steps of `from` and later, as a trainer plans them.
  const auto plan = [](std::size_t from) {
    return headstart::Plan{activations().training().subspan(from * kBatch, (kSteps - from) * kBatch), kBatch};
  };
  found.forward(batch_of(0), z, plan(0));
  double worst = 0.0;
  for (std::size_t step = 0; step < kSteps; ++step) {
    const auto next = batch_of(step + 1);
    expected.step(batch_of(step), dz, kSgd, next, expected_z);
    found.step(batch_of(step), dz, kSgd, next, z, step + 1 < kSteps ? plan(step + 1) : headstart::Plan{});
    worst = std::max({worst, relative_difference(z, expected_z),
                      std::abs(found.squared_norm() / expected.squared_norm() - 1.0)});
  }
  const Matrix expected_kernel = expected.kernel();
  return std::max({worst, relative_difference(found.kernel(), expected_kernel),
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

// Multiply-adds a second of a dense product whose blocks lie in L1, as the gram solver's do in L2: its bound,
// and the primal solver's where memory is not.
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

// What the primal solver has to do: primal_solver.hpp's bytes and flops.
struct Work {
  double passes = 0.0;    // over W and V
  double steps = 0.0;     // of kBatch rows
  double products = 0.0;  // rows multiplied with W or with V

  [[nodiscard]] double bytes() const { return passes * kPassBytes; }
  // Gradients into W and V, and their update.
  [[nodiscard]] double update_flops() const {
    return steps * 4.0 * static_cast<double>(kBatch) * kDensity * kElements + passes * 22.0 * kElements;
  }
  [[nodiscard]] double product_flops() const { return products * 2.0 * kDensity * kElements; }
  // Memory and arithmetic at the same time, each as fast as this machine was measured. A multiply-add of a
  // product loads a vector, and a core loads two in the time of two multiply-adds and as many broadcasts:
  // half the rate.
  [[nodiscard]] double least_seconds(double bandwidth, double flops) const {
    return std::max(bytes() / bandwidth, (update_flops() + 2.0 * product_flops()) / flops);
  }
};

// An epoch in blocks of steps: every row by W and by V, validation rows by W.
Work epoch_work(double rows, double validation_rows) {
  const double steps = std::ceil(rows / static_cast<double>(kBatch));
  const double steps_of_a_block = static_cast<double>(headstart::kMostPlannedRows / kBatch);
  return {std::ceil(steps / steps_of_a_block), steps, 2.0 * rows + validation_rows};
}

// Tells what one iteration took and what that means. @param seconds of all iterations together
void count(benchmark::State& state, double seconds, const Work& work, double rows, double bandwidth,
           double flops) {
  const double per_iteration = seconds / static_cast<double>(state.iterations());
  state.counters["GB/s"] = work.bytes() / per_iteration * 1e-9;
  state.counters["measured_GB/s"] = bandwidth * 1e-9;
  state.counters["GFLOP/s"] = (work.update_flops() + work.product_flops()) / per_iteration * 1e-9;
  state.counters["measured_GFLOP/s"] = flops * 1e-9;
  state.counters["share"] = work.least_seconds(bandwidth, flops) / per_iteration;
  state.counters["samples/s"] = rows / per_iteration;
}

// One step a pass, as without a plan: bandwidth is the bound.
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
  count(state, seconds, {1.0, 1.0, static_cast<double>(kBatch)}, static_cast<double>(kBatch), bandwidth,
        measured_flops(threads));
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
  count(state, seconds, epoch_work(kTrainingRows, kValidationRows), kTrainingRows, bandwidth,
        measured_flops(options.threads));
}

// The second epoch of two: the first one also warms up. Once, because it takes long enough.
void primal_large_epoch(benchmark::State& state) {
  if (!verified(state)) return;
  headstart::TrainingOptions options = recipe(static_cast<int>(state.range(0)));
  options.solver = headstart::Solver::kPrimal;
  options.epochs = 2;
  options.learning_rate = 1e-5;  // learns these rows in the first epoch
  const double bandwidth = measured_bandwidth(options.threads);
  const LargeActivations data;
  double seconds = 0.0;
  for (auto iteration : state) {
    static_cast<void>(iteration);
    std::vector<headstart::EpochResult> history;
    try {
      history = headstart::train_head(data.training(), headstart::initial_head(kFeatures, kClasses, options),
                                      options)
                    .history;
    } catch (const std::exception& error) {  // the loss is not finite
      state.SkipWithError(error.what());
      return;
    }
    if (!(history[1].loss < history[0].loss)) {
      state.SkipWithError("the loss doesn't fall: not timed");
      return;
    }
    state.SetIterationTime(history[1].seconds);
    seconds += history[1].seconds;
  }
  count(state, seconds, epoch_work(kLargeRows, 0.0), kLargeRows, bandwidth, measured_flops(options.threads));
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
BENCHMARK(primal_large_epoch)
    ->Arg(all_threads())
    ->ArgName("threads")
    ->Unit(benchmark::kSecond)
    ->Iterations(1)
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
