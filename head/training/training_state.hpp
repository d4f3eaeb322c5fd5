// head/training/training_state.hpp: the state of a training run between two epochs, so that the run can go on
// elsewhere with exactly the same result. Surprise: the state has no generator and no order, because every
// epoch's order and every step's dropout have their own seeds. The state has no schedule and no early
// stopping, because both follow from the losses in the history.
#pragma once

#include <optional>
#include <span>

#include "head/layers/dense.hpp"
#include "head/layers/first_layer.hpp"

namespace headstart {

/// One line of history.csv. Losses include the L2 terms; val_loss has no class weights. Training values are
/// running means over the epoch's batches, as Keras reports them.
struct EpochResult {
  int epoch = 0;
  double loss = 0.0;
  double accuracy = 0.0;
  std::optional<double> val_loss;
  std::optional<double> val_accuracy;
  double learning_rate = 0.0;
  double seconds = 0.0;
};

/// A view: it is valid only during the call that gets it.
struct TrainingState {
  std::span<const EpochResult> history;  ///< at least one epoch; the next one is history.size()
  /// Every layer; the first one's weights matrix is empty, because `first` has it.
  std::span<const Dense> layers;
  std::span<const Dense> velocities;  ///< the same shapes
  std::span<const Dense> best;        ///< layers of the best epoch; empty without early stopping
  FirstLayerState first;
};

}  // namespace headstart
