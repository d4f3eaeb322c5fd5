// features/extraction/feature_batch.cpp
#include "features/extraction/feature_batch.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "features/float16.hpp"

namespace headstart {

FeatureBatch::FeatureBatch(std::unique_ptr<Engine> engine) : engine_(std::move(engine)) {
  const auto batch = static_cast<std::size_t>(engine_->batch_size());
  for (Buffers& buffers : buffers_) {
    buffers.input.resize(batch *
                         start_shape(engine_->network(), engine_->from(), engine_->input_size()).size());
    for (const Tap& tap : engine_->taps())
      buffers.outputs.emplace_back(batch * tap_shape(engine_->network(), tap, engine_->input_size()).size());
  }
}

void FeatureBatch::add(std::span<const float> row) {
  std::vector<float>& input = buffers_[gathering_].input;
  assert(!full() && row.size() * static_cast<std::size_t>(engine_->batch_size()) == input.size());
  std::copy(row.begin(), row.end(), input.begin() + static_cast<std::ptrdiff_t>(rows_ * row.size()));
  ++rows_;
}

void FeatureBatch::start() {
  worker_.start([this, &buffers = buffers_[gathering_]] {
    const std::vector<std::span<float>> outputs(buffers.outputs.begin(), buffers.outputs.end());
    engine_->run(buffers.input, outputs);
  });
  gathering_ = 1 - gathering_;
  rows_ = 0;
}

void FeatureBatch::wait() {
  worker_.wait();
  done_ = started();
}

std::span<const float> FeatureBatch::activations(std::size_t row, std::size_t tap) const {
  const std::vector<float>& output = buffers_[done_].outputs[tap];
  const std::size_t size = output.size() / static_cast<std::size_t>(engine_->batch_size());
  return std::span<const float>(output).subspan(row * size, size);
}

std::optional<Tap> FeatureBatch::round(std::size_t row, FeatureType storage) {
  if (storage == FeatureType::kFloat32) return std::nullopt;
  for (std::size_t tap = 0; tap < engine_->taps().size(); ++tap) {
    const std::size_t size = activations(row, tap).size();
    const std::span<float> values = std::span(buffers_[done_].outputs[tap]).subspan(row * size, size);
    const bool fits = std::all_of(values.begin(), values.end(),
                                  [](float value) { return std::abs(value) <= kLargestFloat16; });
    if (!fits) return engine_->taps()[tap];
    std::transform(values.begin(), values.end(), values.begin(), rounded_to_float16);
  }
  return std::nullopt;
}

std::optional<Tap> FeatureBatch::non_finite_tap(std::size_t row) const {
  for (std::size_t tap = 0; tap < engine_->taps().size(); ++tap) {
    const std::span<const float> values = activations(row, tap);
    const bool finite =
        std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); });
    if (!finite) return engine_->taps()[tap];
  }
  return std::nullopt;
}

}  // namespace headstart
