// tests/head/training/training_example.hpp: a small training run, and whether two runs are the same bit by
// bit.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "head/layers/column_parallel_layer.hpp"
#include "head/layers/primal_solver.hpp"
#include "head/training/trainer.hpp"
#include "tests/head/layers/sparse_matrix.hpp"

namespace headstart::test {

/// Rows with random labels, a quarter of them for validation: losses that rise and fall, so that early
/// stopping has what to do.
struct TrainingExample {
  static constexpr int kClasses = 3;

  explicit TrainingExample(std::int64_t columns = 300, std::size_t count = 34)
      : random(11),
        matrix(sparse(random_features(static_cast<std::int64_t>(count), columns, 0.2, random))),
        rows(all_rows(count)) {
    for (std::size_t r = 0; r < count; ++r)
      labels.push_back(static_cast<std::int32_t>(random.below(kClasses)));
  }
  [[nodiscard]] TrainingData data() const {
    const std::size_t training = rows.size() * 3 / 4;
    return {matrix.view(), labels, std::span(rows).first(training), std::span(rows).subspan(training),
            kClasses};
  }

  Random random;
  SparseMatrix matrix;
  std::vector<RowIndex> rows;
  std::vector<std::int32_t> labels;
};

inline TrainingOptions small_training(Solver solver) {
  TrainingOptions options;
  options.hidden = {70, 5};
  options.learning_rate = 0.05;
  options.epochs = 6;
  options.batch = 7;
  options.solver = solver;
  options.seed = 2;
  options.threads = 2;
  return options;
}

/// train_head(), but the primal solver takes its steps in blocks however small W is.
inline TrainingResult train(const TrainingData& data, const TrainingOptions& options,
                            const TrainingHooks& hooks = {}, const TrainingState* resume = nullptr) {
  Head initial = initial_head(data.columns(), data.classes, options);
  if (options.solver != Solver::kPrimal) return train_head(data, std::move(initial), options, hooks, resume);
  SparseRowsView features = data.features;
  features.columns = data.columns();
  const Matrix& kernel = initial.layers.front().kernel;
  std::unique_ptr<FirstLayer> first;
  if (options.processes != nullptr) {
    first = std::make_unique<ColumnParallelLayer>(features, kernel, options.threads, *options.processes,
                                                  Blocks::kAlways);
  } else {
    first = std::make_unique<PrimalSolver>(features, kernel, options.threads, best_primal_kernel(),
                                           Blocks::kAlways);
  }
  TrainingResult result = train_layers(data, *first, initial.layers, options, hooks, resume);
  result.head.layers.front().kernel = first->release_kernel();
  return result;
}

inline bool same_but_seconds(const EpochResult& a, const EpochResult& b) {
  return a.epoch == b.epoch && a.loss == b.loss && a.accuracy == b.accuracy && a.val_loss == b.val_loss &&
         a.val_accuracy == b.val_accuracy && a.learning_rate == b.learning_rate;
}

inline bool same(const TrainingResult& a, const TrainingResult& b) {
  return a.head.layers == b.head.layers && a.best_epoch == b.best_epoch &&
         std::equal(a.history.begin(), a.history.end(), b.history.begin(), b.history.end(), same_but_seconds);
}

}  // namespace headstart::test
