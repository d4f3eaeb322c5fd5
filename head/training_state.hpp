// head/training_state.hpp: what a training run is between two epochs, so that it can go on elsewhere with the
// same bits. Surprise: no generator and no order are in it, because every epoch's order and every step's
// dropout come from seeds of their own; and no schedule or early stopping, because the history's losses tell
// both where they are.
#pragma once

#include <optional>
#include <span>

#include "head/dense.hpp"
#include "head/first_layer.hpp"

namespace headstart {

/// One line of history.csv. Losses include the L2 terms; val_loss has no class weights; training values are
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

/// A view: what a run shows of itself is valid during the call that shows it.
struct TrainingState {
  std::span<const EpochResult> history;  ///< at least one epoch; the next one is history.size()
  std::span<const Dense> layers;         ///< every layer, the first one's kernel empty: `first` has it
  std::span<const Dense> velocities;     ///< the same shapes
  std::span<const Dense> best;           ///< layers of the best epoch; empty without early stopping
  FirstLayerState first;
};

}  // namespace headstart
