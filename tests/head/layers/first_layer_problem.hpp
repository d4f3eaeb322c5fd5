// tests/head/layers/first_layer_problem.hpp: a random run of a first layer's solver, held against dense SGD
// in double.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "head/layers/first_layer.hpp"
#include "tests/head/layers/dense_sgd.hpp"
#include "tests/head/layers/sparse_matrix.hpp"

namespace headstart::test {

struct FirstLayerProblem {
  std::int64_t rows = 12;
  std::int64_t training = 12;  ///< the first so many of them
  std::int64_t columns = 600;
  std::int64_t hidden = 70;
  double density = 0.1;
  int steps = 3;
  bool planned = false;   ///< tell the solver which rows come next
  bool remember = false;  ///< W, take a wrong step and recall it
  std::uint64_t seed = 0;
  SgdStep sgd;
};

/// From features, W_0 and training rows, all of which outlive it.
using MakeSolver = std::function<std::unique_ptr<FirstLayer>(
    const SparseRowsView& features, const Matrix& initial, std::span<const RowIndex> training)>;

inline double relative_error(const Matrix& found, const Eigen::MatrixXd& expected, double scale) {
  return (found.cast<double>() - expected).norm() / (scale > 0.0 ? scale : 1.0);
}

inline std::vector<RowIndex> draw_rows(std::size_t count, std::int64_t below, Random& random) {
  std::vector<RowIndex> rows(count);  // with repetition
  for (RowIndex& row : rows) row = static_cast<RowIndex>(random.below(static_cast<std::uint64_t>(below)));
  return rows;
}

/// The largest relative error of z, W and |W|^2 over a run of a few steps; float arithmetic gives about 1e-7.
inline double worst_error(const FirstLayerProblem& problem, const MakeSolver& make) {
  Random random(problem.seed);
  Matrix features = random_features(problem.rows, problem.columns, problem.density, random);
  features.row(0).setZero();  // a row without entries
  const SparseMatrix matrix = sparse(features);
  const Matrix initial = random_matrix(problem.columns, problem.hidden, random, 0.1F);
  const std::vector<RowIndex> every = all_rows(static_cast<std::size_t>(problem.rows));
  const std::span<const RowIndex> training =
      std::span(every).first(static_cast<std::size_t>(problem.training));
  const SparseRowsView view = matrix.view();
  const std::unique_ptr<FirstLayer> solver = make(view, initial, training);
  DenseSgd expected(features, initial);

  const auto norm_error = [&] {
    return std::abs(solver->squared_norm() - expected.kernel().squaredNorm()) /
           (expected.scale() * expected.scale());
  };
  double worst = norm_error();
  std::vector<std::vector<RowIndex>> batches;
  for (int step = 0; step <= problem.steps; ++step)
    batches.push_back(draw_rows(1 + random.below(8), problem.training, random));
  // What a trainer would plan after a step; now and then it changes its mind.
  const auto plan_after = [&](std::size_t step) {
    std::vector<RowIndex> rows;
    if (!problem.planned || random.below(5) == 0) return rows;
    for (std::size_t s = step; s < batches.size() && rows.size() < 24; ++s)
      rows.insert(rows.end(), batches[s].begin(), batches[s].end());
    return rows;
  };
  {
    const std::vector<RowIndex> plan = plan_after(0);
    Matrix z(static_cast<Eigen::Index>(batches[0].size()), problem.hidden);
    solver->forward(batches[0], z, {plan, batches[0].size()});
    worst =
        std::max(worst, relative_error(z, expected.product(batches[0]), expected.product_scale(batches[0])));
  }
  for (int step = 0; step < problem.steps; ++step) {
    const auto now = static_cast<std::size_t>(step);
    const std::vector<RowIndex>& batch = batches[now];
    const std::vector<RowIndex> plan = plan_after(now + 1);
    // Other rows, perhaps none, and the next batch where there is a plan or one from before.
    std::vector<RowIndex> next = draw_rows(random.below(2) * random.below(40), problem.rows, random);
    if (problem.planned) next.insert(next.end(), batches[now + 1].begin(), batches[now + 1].end());
    const Matrix dz = random_matrix(static_cast<Eigen::Index>(batch.size()), problem.hidden, random, 0.05F);
    Matrix next_z = Matrix::Constant(static_cast<Eigen::Index>(next.size()), problem.hidden, 1e9F);
    solver->step(batch, dz, problem.sgd, next, next_z, {plan, plan.empty() ? 0 : batches[now + 1].size()});
    expected.step(batch, dz, problem.sgd);
    worst = std::max(worst, relative_error(next_z, expected.product(next), expected.product_scale(next)));
    worst = std::max(worst, norm_error());
  }
  if (problem.remember) {
    solver->remember();
    Matrix none(0, problem.hidden);
    solver->step(training.first(1), Matrix::Constant(1, problem.hidden, 3.0F), problem.sgd, {}, none);
    solver->recall();
    worst = std::max(worst, norm_error());
  }
  Matrix z(problem.rows, problem.hidden);
  solver->forward(every, z);
  worst = std::max(worst, relative_error(z, expected.product(every), expected.product_scale(every)));
  return std::max(worst, relative_error(solver->release_kernel(), expected.kernel(), expected.scale()));
}

}  // namespace headstart::test
