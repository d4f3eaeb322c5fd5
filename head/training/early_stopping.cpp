// head/training/early_stopping.cpp
#include "head/training/early_stopping.hpp"

#include <algorithm>

namespace headstart {

bool EarlyStopping::improved(int epoch, double loss) noexcept {
  if (loss < best_) {
    best_ = loss;
    best_epoch_ = epoch;
    epochs_without_improvement_ = 0;
    return true;
  }
  ++epochs_without_improvement_;
  return false;
}

bool EarlyStopping::should_stop() const noexcept {
  return epochs_without_improvement_ >= std::max(patience_, 1);
}

}  // namespace headstart
