// features/feature_batch.cpp
#include "features/feature_batch.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "features/float16.hpp"

namespace headstart {

FeatureBatch::FeatureBatch(std::unique_ptr<Engine> engine) : engine_(std::move(engine)) {
  const auto batch = static_cast<std::size_t>(engine_->batch_size());
  input_.resize(batch * start_shape(engine_->from(), engine_->input_size()).size());
  for (const Tap tap : engine_->taps()) {
    outputs_.emplace_back(batch * tap_shape(tap, engine_->input_size()).size());
  }
}

void FeatureBatch::add(std::span<const float> row) {
  assert(!full() && row.size() * static_cast<std::size_t>(engine_->batch_size()) == input_.size());
  std::copy(row.begin(), row.end(), input_.begin() + static_cast<std::ptrdiff_t>(rows_ * row.size()));
  ++rows_;
}

void FeatureBatch::run() {
  std::vector<std::span<float>> outputs(outputs_.begin(), outputs_.end());
  engine_->run(input_, outputs);
}

std::span<const float> FeatureBatch::activations(std::size_t row, std::size_t tap) const {
  const std::size_t size = outputs_[tap].size() / static_cast<std::size_t>(engine_->batch_size());
  return std::span<const float>(outputs_[tap]).subspan(row * size, size);
}

std::optional<Tap> FeatureBatch::round(std::size_t row, FeatureType storage) {
  if (storage == FeatureType::kFloat32) return std::nullopt;
  for (std::size_t tap = 0; tap < outputs_.size(); ++tap) {
    const std::size_t size = activations(row, tap).size();
    const std::span<float> values = std::span(outputs_[tap]).subspan(row * size, size);
    const bool fits = std::all_of(values.begin(), values.end(),
                                  [](float value) { return std::abs(value) <= kLargestFloat16; });
    if (!fits) return engine_->taps()[tap];
    std::transform(values.begin(), values.end(), values.begin(), rounded_to_float16);
  }
  return std::nullopt;
}

std::optional<Tap> FeatureBatch::non_finite_tap(std::size_t row) const {
  for (std::size_t tap = 0; tap < outputs_.size(); ++tap) {
    const std::span<const float> values = activations(row, tap);
    const bool finite =
        std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); });
    if (!finite) return engine_->taps()[tap];
  }
  return std::nullopt;
}

}  // namespace headstart
