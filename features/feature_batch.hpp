// features/feature_batch.hpp: rows gathered up to an engine's fixed batch, and what the network made of them.
// While one batch is in the network the next is gathered, and what became of the one before can be looked at.
// Invariant: rows keep the order in which they were added; what pads a batch that isn't full is never looked
// at.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "features/engine.hpp"
#include "features/feature_type.hpp"
#include "features/worker_thread.hpp"

namespace headstart {

class FeatureBatch {
 public:
  explicit FeatureBatch(std::unique_ptr<Engine> engine);

  [[nodiscard]] const Engine& engine() const noexcept { return *engine_; }
  [[nodiscard]] bool empty() const noexcept { return rows_ == 0; }
  [[nodiscard]] bool full() const noexcept {
    return rows_ == static_cast<std::size_t>(engine_->batch_size());
  }

  /// Copies a row into the batch that is gathered. @param row  [h, w, c] of start_shape(): a preprocessed
  /// image, or activations at the engine's from(); the batch must not be full
  void add(std::span<const float> row);
  /// Sends the gathered rows through the network, on another thread, and begins to gather the next; a batch
  /// sent before has to be waited for.
  void start();
  /// Until the network is through with the batch that was started. @throws what the engine threw
  void wait();

  /// What the network computed for a row of the batch last waited for, at the engine's tap number `tap`:
  /// [h, w, c]. The next batch may be in the network, but has not to be waited for.
  [[nodiscard]] std::span<const float> activations(std::size_t row, std::size_t tap) const;
  /// The first tap at which such a row has a NaN or an infinity.
  [[nodiscard]] std::optional<Tap> non_finite_tap(std::size_t row) const;
  /// Rounds such a row, which is finite, to what `storage` has at every tap.
  /// @return the first tap at which a value is too large for that; the row is then of no use
  [[nodiscard]] std::optional<Tap> round(std::size_t row, FeatureType storage);

 private:
  struct Buffers {
    std::vector<float> input;                 // [batch, h, w, c]
    std::vector<std::vector<float>> outputs;  // a tap: [batch, h, w, c]
  };
  [[nodiscard]] std::size_t started() const noexcept { return 1 - gathering_; }

  std::unique_ptr<Engine> engine_;
  std::array<Buffers, 2> buffers_;
  std::size_t gathering_ = 0;  // whose input is filled
  std::size_t done_ = 0;       // whose outputs are looked at
  std::size_t rows_ = 0;
  WorkerThread worker_;  // last, so that it ends before what it works on
};

}  // namespace headstart
