// head/training/schedule.hpp: the learning rate of each epoch.
#pragma once

#include <string_view>

namespace headstart {

/// How the learning rate changes over the epochs.
enum class Schedule {
  kConstant,
  kStep,    ///< times 0.1 after half of the epochs and again after three quarters
  kCosine,  ///< from the base to zero along half a cosine (Loshchilov and Hutter, arXiv 1608.03983, eq. 5)
  /// Times 0.1 when the watched loss has not improved for 5 epochs, as Keras's ReduceLROnPlateau.
  kPlateau,
};

/// The word for it on the command line and in files.
[[nodiscard]] constexpr std::string_view to_string(Schedule schedule) noexcept {
  switch (schedule) {
    case Schedule::kConstant:
      return "constant";
    case Schedule::kStep:
      return "step";
    case Schedule::kCosine:
      return "cosine";
    case Schedule::kPlateau:
      return "plateau";
  }
  return {};
}

/// The learning rate during one training run.
class LearningRate {
 public:
  /// @param base  the rate of the first epoch  @param epochs  of the whole run
  LearningRate(Schedule schedule, double base, int epochs) noexcept;

  /// The rate of `epoch`, counted from 0.
  [[nodiscard]] double at(int epoch) const noexcept;
  /// Reports the end of an epoch; only kPlateau uses this.
  /// @param loss  validation loss where there is one, else training loss
  void epoch_ended(double loss) noexcept;

 private:
  Schedule schedule_;
  double base_;
  int epochs_;
  double factor_ = 1.0;
  double best_;
  int epochs_without_improvement_ = 0;
};

}  // namespace headstart
