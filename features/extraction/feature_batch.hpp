// features/extraction/feature_batch.hpp: gathers rows up to an engine batch, and holds the network's results
// for them. While one batch is in the network, the next is gathered and the results of the last one can be
// read. Invariant: rows keep the order in which they were added. The padding of a batch that isn't full is
// never read.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "features/engines/engine.hpp"
#include "features/extraction/worker_thread.hpp"
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

  /// Copies a row into the batch that is being gathered. The batch must not be full. @param row  [h, w, c] of
  /// start_shape(): a preprocessed image, or activations at the engine's from()
  void add(std::span<const float> row);
  /// Sends the gathered rows through the network, on another thread, and begins to gather the next batch.
  /// Call wait() for a batch that was sent before.
  void start();
  /// Waits until the network has computed the started batch. @throws the exception of the engine
  void wait();

  /// The network's result for a row of the batch that wait() returned last, at the engine's tap number `tap`:
  /// [h, w, c]. The next batch may already be in the network, but wait() must not have been called for it.
  [[nodiscard]] std::span<const float> activations(std::size_t row, std::size_t tap) const;
  /// The first tap at which that row has a NaN or an infinity.
  [[nodiscard]] std::optional<Tap> non_finite_tap(std::size_t row) const;
  /// Rounds that row, which must be finite, to `storage` at every tap.
  /// @return the first tap at which a value is too large for `storage`; the row can't be used then
  [[nodiscard]] std::optional<Tap> round(std::size_t row, FeatureType storage);

 private:
  struct Buffers {
    std::vector<float> input;                 // [batch, h, w, c]
    std::vector<std::vector<float>> outputs;  // for each tap: [batch, h, w, c]
  };
  [[nodiscard]] std::size_t started() const noexcept { return 1 - gathering_; }

  std::unique_ptr<Engine> engine_;
  std::array<Buffers, 2> buffers_;
  std::size_t gathering_ = 0;  // the buffers whose input is being filled
  std::size_t done_ = 0;       // the buffers whose outputs can be read
  std::size_t rows_ = 0;
  WorkerThread worker_;  // last member, so that the thread ends before the buffers are freed
};

}  // namespace headstart
