// head/training/trainer.hpp: SGD over epochs: Keras's model.fit for a stack of dense layers on cached
// features.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "head/cancellation.hpp"
#include "head/layers/affine_rows.hpp"
#include "head/layers/dense.hpp"
#include "head/layers/first_layer.hpp"
#include "head/layers/solver.hpp"
#include "head/matrix.hpp"
#include "head/training/row_source.hpp"
#include "head/training/training_options.hpp"
#include "head/training/training_state.hpp"
#include "memory/sparse_rows.hpp"

namespace headstart {

/// Rows with their labels, and their split into training and validation.
struct TrainingData {
  SparseRowsView features;               ///< training and validation rows together
  std::span<const std::int32_t> labels;  ///< [rows]; for the rows below, each in [0, classes)
  std::span<const RowIndex> training;    ///< at least one row
  std::span<const RowIndex> validation;  ///< may be empty
  int classes = 0;
  /// Rows that are not in memory. The primal solver then reads them from here, a window at a time, and
  /// `features` is empty. A window as large as the training set gives exactly the result of rows in memory.
  const RowSource* source = nullptr;
  /// Rows that are mostly not zero; `features` is then empty.
  const AffineRows* dense = nullptr;

  /// The number of features of a row, in memory or not.
  [[nodiscard]] std::int64_t columns() const noexcept {
    if (dense != nullptr) return dense->columns();
    return source != nullptr ? source->columns : features.columns;
  }
  /// The number of training and validation rows, in memory or not.
  [[nodiscard]] std::size_t rows() const noexcept {
    if (dense != nullptr) return dense->count();
    return source != nullptr ? source->chunks.size() : features.rows();
  }
};

/// A trained head: hidden layers with ReLU, then logits.
struct Head {
  std::vector<Dense> layers;
};

/// The result of training.
struct TrainingResult {
  Head head;
  std::vector<EpochResult> history;
  int best_epoch = 0;        ///< the epoch whose weights `head` has; -1: none was better than options.to_beat
  bool interrupted = false;  ///< stopped by `stop`, after a whole epoch
  Solver solver = Solver::kPrimal;  ///< the solver that ran
};

/// Functions that a run calls from its own thread; any may be empty.
struct TrainingHooks {
  std::function<void(const EpochResult&)> on_epoch;
  std::function<void(double loss)> on_step;  ///< the loss of each batch, L2 included, before its update
  /// The validation rows' logits after each epoch, [validation, classes].
  std::function<void(const Matrix& logits)> on_validation;
  const std::atomic<bool>* stop = nullptr;  ///< checked between epochs; if one process stops, all stop
  Cancellation cancellation{};              ///< checked between steps, in each process by itself
  /// Asked after every epoch but the last: shall on_state get the state? If empty, the answer is always yes.
  /// `stopping` is true if `stop` ends the run here, before its last epoch.
  std::function<bool(bool stopping)> wants_state{};
  std::function<void(const TrainingState&)> on_state{};
};

/// Keras's initial weights for these options.
[[nodiscard]] Head initial_head(std::int64_t features, int classes, const TrainingOptions& options);

/// The solver for these data and options: options.solver, or for kAuto the result of choose_solver(). But
/// kAuto becomes kPrimal where rows are read from a source or processes train together.
[[nodiscard]] Solver solver_of(const TrainingData& data, const TrainingOptions& options);

/// Trains from `initial`. The same data, options and initial head give the same result, for any number of
/// threads.
/// @param resume  goes on from this state of a run on the same data, options and initial head with the same
/// solver. The result is exactly that of the run without interruption.
/// @throws std::invalid_argument about shapes, empty training rows, a batch or epoch count below one, early
/// stopping without validation rows, or a state of another run, as far as shapes show it
/// @throws Divergence if the loss stops being finite; the message has the epoch and step (from one) and the
/// learning rate, which is too high
/// @throws Cancelled in the middle of an epoch; the exceptions of a row source and of the processes
[[nodiscard]] TrainingResult train_head(const TrainingData& data, Head initial,
                                        const TrainingOptions& options, const TrainingHooks& hooks = {},
                                        const TrainingState* resume = nullptr);

/// Trains on an existing first layer. Cross-validation uses this function for many first layers on one Gram
/// matrix. Works as train_head(), but uses only the number of rows of `data.features`.
/// @param layers  the head's initial layers; the weights matrix of the first one is in `first`, and is not
/// read here
/// @return as train_head(), but the first weights matrix is empty: `first` has the one of best_epoch
/// @throws as train_head()
[[nodiscard]] TrainingResult train_layers(const TrainingData& data, FirstLayer& first,
                                          std::span<const Dense> layers, const TrainingOptions& options,
                                          const TrainingHooks& hooks = {},
                                          const TrainingState* resume = nullptr);

/// Logits of `rows` from a first layer and the layers above it, [rows.size(), classes].
[[nodiscard]] Matrix predict_logits(FirstLayer& first, std::span<const Dense> layers,
                                    std::span<const RowIndex> rows);

/// Logits of `rows`, [rows.size(), classes]; softmax makes them probabilities.
[[nodiscard]] Matrix predict_logits(const Head& head, const SparseRowsView& features,
                                    std::span<const RowIndex> rows);
/// The same of dense rows.
[[nodiscard]] Matrix predict_logits(const Head& head, const AffineRows& features,
                                    std::span<const RowIndex> rows);

/// Probabilities of `rows`, [rows.size(), classes].
[[nodiscard]] Matrix predict_probabilities(const Head& head, const SparseRowsView& features,
                                           std::span<const RowIndex> rows);

/// The penalty that reported losses include: l2 * sum of squares of every weights matrix.
[[nodiscard]] inline double l2_penalty(const Head& head, double l2) { return l2_penalty(head.layers, l2); }
/// The penalty of initial_head(), computed from its distribution: Glorot's variance times the number of
/// weights.
[[nodiscard]] double initial_l2_penalty(std::int64_t features, int classes, const TrainingOptions& options);

/// Class weights that give every class the same total: rows / (classes * rows of the class), as
/// scikit-learn's 'balanced'.
/// @throws std::invalid_argument for a class without rows
[[nodiscard]] std::vector<float> balanced_class_weights(std::span<const std::int32_t> labels,
                                                        std::span<const RowIndex> rows, int classes);

}  // namespace headstart
