// head/early_stopping.hpp: when to stop, by the validation loss. Keras's EarlyStopping with its defaults is
// the model.
#pragma once

#include <limits>

namespace headstart {

class EarlyStopping {
 public:
  /// @param patience  epochs without a better loss before stopping; 0 is as 1
  explicit EarlyStopping(int patience) noexcept : patience_(patience) {}
  /// @param loss_to_beat  of the weights before the first epoch, which is then epoch -1
  EarlyStopping(int patience, double loss_to_beat) noexcept
      : patience_(patience), best_(loss_to_beat), best_epoch_(-1) {}

  /// Tells the end of an epoch. @return whether its loss is the best so far: then its weights are the ones to
  /// keep
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
