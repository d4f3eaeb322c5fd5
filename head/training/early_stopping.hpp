// head/training/early_stopping.hpp: decides by the validation loss when to stop, as Keras's EarlyStopping
// does with its defaults.
#pragma once

#include <limits>

namespace headstart {

class EarlyStopping {
 public:
  /// @param patience  epochs without a better loss before stopping; 0 means 1
  explicit EarlyStopping(int patience) noexcept : patience_(patience) {}
  /// @param loss_to_beat  the loss of the weights before the first epoch; these weights count as epoch -1
  EarlyStopping(int patience, double loss_to_beat) noexcept
      : patience_(patience), best_(loss_to_beat), best_epoch_(-1) {}

  /// Call this at the end of an epoch.
  /// @return whether the loss is the best so far; if it is, keep the weights of this epoch
  [[nodiscard]] bool improved(int epoch, double loss) noexcept;

  [[nodiscard]] bool should_stop() const noexcept;
  [[nodiscard]] int best_epoch() const noexcept { return best_epoch_; }

 private:
  int patience_;
  double best_ = std::numeric_limits<double>::infinity();
  int best_epoch_ = 0;
  int epochs_without_improvement_ = 0;
};

}  // namespace headstart
