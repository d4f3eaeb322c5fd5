// head/training/schedule.cpp
#include "head/training/schedule.hpp"

#include <cmath>
#include <limits>
#include <numbers>

namespace headstart {
namespace {

constexpr double kDecay = 0.1;
// As in Keras's ReduceLROnPlateau, an epoch improves when its loss is more than this below the best loss.
constexpr double kLeastImprovement = 1e-4;
constexpr int kPlateauPatience = 5;

}  // namespace

LearningRate::LearningRate(Schedule schedule, double base, int epochs) noexcept
    : schedule_(schedule), base_(base), epochs_(epochs), best_(std::numeric_limits<double>::infinity()) {}

double LearningRate::at(int epoch) const noexcept {
  switch (schedule_) {
    case Schedule::kConstant:
      return base_;
    case Schedule::kStep: {
      const double done = static_cast<double>(epoch) / static_cast<double>(epochs_);
      if (done >= 0.75) return base_ * kDecay * kDecay;
      return done >= 0.5 ? base_ * kDecay : base_;
    }
    case Schedule::kCosine:
      return base_ * 0.5 *
             (1.0 + std::cos(std::numbers::pi * static_cast<double>(epoch) / static_cast<double>(epochs_)));
    case Schedule::kPlateau:
      return base_ * factor_;
  }
  return base_;
}

void LearningRate::epoch_ended(double loss) noexcept {
  if (loss < best_ - kLeastImprovement) {
    best_ = loss;
    epochs_without_improvement_ = 0;
    return;
  }
  if (++epochs_without_improvement_ < kPlateauPatience) return;
  factor_ *= kDecay;
  epochs_without_improvement_ = 0;
}

}  // namespace headstart
