// features/feature_batch.hpp: rows gathered up to an engine's fixed batch, and what the network
// made of them. Invariant: rows keep the order in which they were added; what pads a batch that isn't full is
// never looked at.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "features/engine.hpp"
#include "features/feature_type.hpp"

namespace headstart {

class FeatureBatch {
 public:
  explicit FeatureBatch(std::unique_ptr<Engine> engine);

  [[nodiscard]] const Engine& engine() const noexcept { return *engine_; }
  [[nodiscard]] bool empty() const noexcept { return rows_ == 0; }
  [[nodiscard]] bool full() const noexcept {
    return rows_ == static_cast<std::size_t>(engine_->batch_size());
  }

  /// Copies a row into the batch. @param row  [h, w, c] of start_shape(): a preprocessed image, or
  /// activations at the engine's from(); the batch must not be full
  void add(std::span<const float> row);
  /// Runs the network over all rows.
  void run();
  /// What run() computed for a row, at the engine's tap number `tap`: [h, w, c].
  [[nodiscard]] std::span<const float> activations(std::size_t row, std::size_t tap) const;
  /// The first tap at which a row has a NaN or an infinity.
  [[nodiscard]] std::optional<Tap> non_finite_tap(std::size_t row) const;
  /// Rounds a row, which is finite, to what `storage` has at every tap.
  /// @return the first tap at which a value is too large for that; the row is then of no use
  [[nodiscard]] std::optional<Tap> round(std::size_t row, FeatureType storage);
  /// Starts the next batch.
  void clear() noexcept { rows_ = 0; }

 private:
  std::unique_ptr<Engine> engine_;
  std::size_t rows_ = 0;
  std::vector<float> input_;                 // [batch, h, w, c]
  std::vector<std::vector<float>> outputs_;  // a tap: [batch, h, w, c]
};

}  // namespace headstart
