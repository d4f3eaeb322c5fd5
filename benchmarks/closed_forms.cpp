// benchmarks/closed_forms.cpp: what inspect and sweep compute without training, on made-up pooled rows: ridge
// regression with 25 lambdas, the eigendecomposition, the nearest neighbours. Each is checked first.
#include <benchmark/benchmark.h>

#include <Eigen/Core>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "head/insight/neighbours.hpp"
#include "head/random.hpp"
#include "head/row_blocks.hpp"
#include "head/search/ridge.hpp"
#include "head/symmetric_eigen.hpp"

namespace {

using headstart::Matrix;

constexpr int kClasses = 10;

struct Made {
  Matrix rows;
  std::vector<std::int32_t> labels;
};

/// Rows of length one around a direction for each class.
Made made_up(Eigen::Index count, Eigen::Index columns) {
  headstart::Random random(1);
  const auto fill = [&random](Matrix& matrix) {
    for (Eigen::Index i = 0; i < matrix.size(); ++i) matrix.data()[i] = random.uniform();
  };
  Matrix centres(kClasses, columns);
  fill(centres);
  Made made{Matrix(count, columns), {}};
  fill(made.rows);
  for (Eigen::Index row = 0; row < count; ++row) {
    made.labels.push_back(static_cast<std::int32_t>(random.below(kClasses)));
    made.rows.row(row) += 0.3F * centres.row(made.labels.back());
  }
  headstart::scale_to_unit_length(made.rows);
  return made;
}

void ridge(benchmark::State& state) {
  const Made made = made_up(state.range(0), state.range(1));
  for (auto iteration : state) {
    const headstart::RidgeRegression regression(headstart::blocks_of(made.rows), made.labels, kClasses);
    const headstart::RidgeBaseline found = regression.leave_out(regression.default_lambdas());
    if ((found.scores.rowwise().sum().array() - 1.0F).abs().maxCoeff() > 1e-3F) {
      state.SkipWithError("the scores of a row do not sum to one");
      break;
    }
  }
}

void eigen(benchmark::State& state) {
  const Matrix rows = made_up(state.range(0), 64).rows;
  Eigen::MatrixXd matrix = (rows * rows.transpose()).cast<double>();
  for (Eigen::Index i = 0; i < matrix.rows(); ++i) matrix(i, i) += static_cast<double>(i) / 1000.0;
  for (auto iteration : state) {
    const headstart::SymmetricEigen found = headstart::symmetric_eigen(matrix, 0);
    if (std::abs(found.values.sum() / matrix.trace() - 1.0) > 1e-9) {
      state.SkipWithError("the eigenvalues do not sum to the trace");
      break;
    }
  }
}

void neighbours(benchmark::State& state) {
  const Matrix rows = made_up(state.range(0), 512).rows;
  const auto n = static_cast<double>(state.range(0));
  for (auto iteration : state) {
    const headstart::Neighbours found =
        headstart::nearest_neighbours(rows, {.compare_all = static_cast<std::size_t>(state.range(1))});
    if (found.cosines.front() <= 0.0F || found.cosines.front() > 1.0001F) {
      state.SkipWithError("the nearest neighbour of row 0 has no cosine");
      break;
    }
    if (found.recall) state.counters["recall"] = *found.recall;
  }
  state.counters["GFLOP/s if all are compared"] =
      benchmark::Counter(2e-9 * n * n * 512.0, benchmark::Counter::kIsIterationInvariantRate);
}

BENCHMARK(ridge)
    ->Args({5000, 512})
    ->Args({70000, 512})
    ->Args({2000, 4000})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK(eigen)->Arg(512)->Arg(2000)->Arg(4000)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(neighbours)->Args({20000, 100000})->Args({20000, 0})->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace

BENCHMARK_MAIN();
