// benchmarks/dense.cpp: steps of the dense solver, pooled rows of 512 to 4,096 features and layers of 2 to
// 1,024 outputs, batch 32. Verifies a step against plain loops in double, measures what multiply-adds this
// machine makes with operands in cache, then times steps as shares of that. A step gathers its rows from
// anywhere in 20,000 of them, and computes the products of the next batch: 4 b d h flops.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "head/layers/dense_product.hpp"
#include "head/layers/dense_solver.hpp"
#include "head/random.hpp"
#include "memory/dense_rows.hpp"

namespace {

using headstart::AffineRows;
using headstart::DenseRows;
using headstart::DenseSolver;
using headstart::Matrix;
using headstart::Random;
using headstart::RowIndex;
using headstart::SgdStep;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kBatchRows = 32;
constexpr std::uint64_t kStoredRows = 20'000;
constexpr SgdStep kStep{.learning_rate = 1e-3, .momentum = 0.9, .nesterov = false, .l2 = 1e-4};

DenseRows made_up_rows(std::int64_t columns) {
  DenseRows rows(kStoredRows, columns);
  Random random(1);
  for (float& value : rows.values()) value = random.uniform();
  return rows;
}

Matrix random_matrix(Eigen::Index rows, Eigen::Index columns, float scale, Random& random) {
  Matrix matrix(rows, columns);
  for (Eigen::Index i = 0; i < matrix.size(); ++i) matrix.data()[i] = scale * (random.uniform() - 0.5F);
  return matrix;
}

std::vector<RowIndex> draw(Random& random) {
  std::vector<RowIndex> rows(kBatchRows);
  for (RowIndex& row : rows) row = static_cast<RowIndex>(random.below(kStoredRows));
  return rows;
}

// The largest relative error of W after one step.
double error_of_a_step(const DenseRows& rows, const Matrix& kernel) {
  Random random(2);
  const std::vector<RowIndex> batch = draw(random);
  const Matrix dz = random_matrix(kBatchRows, kernel.cols(), 0.1F, random);
  DenseSolver solver(AffineRows{.rows = rows.view()}, kernel, 1);
  Matrix none(0, kernel.cols());
  solver.step(batch, dz, kStep, {}, none);
  Eigen::MatrixXd x(kBatchRows, kernel.rows());
  for (std::size_t r = 0; r < kBatchRows; ++r) {
    for (Eigen::Index c = 0; c < x.cols(); ++c)
      x(static_cast<Eigen::Index>(r), c) = rows.view().row(batch[r])[static_cast<std::size_t>(c)];
  }
  const Eigen::MatrixXd w = kernel.cast<double>();
  const Eigen::MatrixXd expected =
      w - kStep.learning_rate * (x.transpose() * dz.cast<double>() + 2.0 * kStep.l2 * w);
  return (solver.release_kernel().cast<double>() - expected).norm() / expected.norm();
}

// Multiply-adds of one core with operands in L1 and L2, in flops a second: a product of these shapes.
double measured_flops() {
  Random random(3);
  const Matrix a = random_matrix(96, 256, 1.0F, random);
  const Matrix b = random_matrix(256, 64, 1.0F, random);
  Matrix c = Matrix::Zero(96, 64);
  double fastest = 1e9;
  for (int repetition = 0; repetition < 300; ++repetition) {
    const auto start = Clock::now();
    for (int i = 0; i < 10; ++i) headstart::add_product(a, b, c);
    fastest = std::min(fastest, std::chrono::duration<double>(Clock::now() - start).count() / 10);
  }
  return 2.0 * 96 * 256 * 64 / fastest;
}

// Arguments: features, outputs, threads.
void dense_step(benchmark::State& state) {
  const std::int64_t features = state.range(0);
  const std::int64_t outputs = state.range(1);
  const auto threads = static_cast<int>(state.range(2));
  const DenseRows rows = made_up_rows(features);
  Random random(4);
  const Matrix kernel = random_matrix(features, outputs, 0.1F, random);
  const double error = error_of_a_step(rows, kernel);
  if (!(error < 1e-6)) return state.SkipWithError("a step is wrong");
  DenseSolver solver(AffineRows{.rows = rows.view()}, kernel, threads);
  const Matrix dz = random_matrix(kBatchRows, outputs, 1e-6F, random);
  Matrix z(kBatchRows, outputs);
  std::vector<RowIndex> batch = draw(random);
  solver.forward(batch, z);
  double fastest = 1e9;
  for (auto _ : state) {
    constexpr int kSteps = 20;
    const auto start = Clock::now();
    for (int step = 0; step < kSteps; ++step) {
      std::vector<RowIndex> next = draw(random);
      solver.step(batch, dz, kStep, next, z, {next, next.size()});
      batch = std::move(next);
    }
    fastest = std::min(fastest, std::chrono::duration<double>(Clock::now() - start).count() / kSteps);
  }
  const double flops = 4.0 * kBatchRows * static_cast<double>(features * outputs) / fastest;
  const double peak = measured_flops() * threads;
  state.counters["us/step"] = 1e6 * fastest;
  state.counters["GFLOP/s"] = 1e-9 * flops;
  state.counters["measured_GFLOP/s"] = 1e-9 * peak;
  state.counters["share"] = flops / peak;
}

}  // namespace

BENCHMARK(dense_step)
    ->ArgNames({"features", "outputs", "threads"})
    ->ArgsProduct({{512, 1024, 4096}, {2, 10, 64, 256}, {1}})
    ->Args({512, 1024, 1})
    ->Args({512, 1024, 2})
    ->Unit(benchmark::kMillisecond);

BENCHMARK_MAIN();
