// features/cache/segment_builder.hpp: collects rows that are computed and not yet on disk.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>

#include "data/sha256.hpp"
#include "features/cache/segment.hpp"
#include "memory/sparse_rows.hpp"

namespace headstart {

/// Collects unsaved rows until a segment is due: at 64 MiB, or when the oldest row is 30 seconds old.
class SegmentBuilder {
 public:
  static constexpr std::size_t kMaxBytes = std::size_t{64} << 20;
  static constexpr std::chrono::seconds kMaxAge{30};

  /// Starts empty, for rows of `shape` at `tap`.
  SegmentBuilder(Tap tap, MapShape shape, SegmentOrigin origin, FeatureType storage = FeatureType::kFloat32);

  /// @param activations  [h, w, c], finite, and already rounded to the storage type
  void append(const Sha256& key, std::span<const float> activations);
  /// Whether it holds kMaxBytes.
  [[nodiscard]] bool full() const noexcept;
  /// Whether it is full, or its oldest row is kMaxAge old at `now`.
  [[nodiscard]] bool due(std::chrono::steady_clock::time_point now) const noexcept;
  /// Whether it holds no row.
  [[nodiscard]] bool empty() const noexcept { return segment_.keys.empty(); }
  /// The collected segment. The builder is empty afterwards.
  [[nodiscard]] Segment take();

 private:
  Segment segment_;
  std::optional<std::chrono::steady_clock::time_point> oldest_;
};

}  // namespace headstart
