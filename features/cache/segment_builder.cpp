// features/cache/segment_builder.cpp
#include "features/cache/segment_builder.hpp"

#include <utility>

namespace headstart {
namespace {

Segment empty_segment(Tap tap, const MapShape& shape, SegmentOrigin origin, FeatureType storage) {
  Segment segment{std::move(tap), shape, {}, {}, std::move(origin), storage};
  segment.rows.columns = static_cast<std::int64_t>(shape.size());
  return segment;
}

/// The size of the rows on disk, approximately.
std::size_t bytes_of(const Segment& segment) {
  return segment.rows.values.size() * (bytes_of(segment.storage) + sizeof(std::int32_t)) +
         segment.rows.rows() * sizeof(std::int64_t);
}

}  // namespace

SegmentBuilder::SegmentBuilder(Tap tap, MapShape shape, SegmentOrigin origin, FeatureType storage)
    : segment_(empty_segment(std::move(tap), shape, std::move(origin), storage)) {}

void SegmentBuilder::append(const Sha256& key, std::span<const float> activations) {
  if (!oldest_) oldest_ = std::chrono::steady_clock::now();
  segment_.keys.push_back(key);
  segment_.rows.append_dense(activations);
}

bool SegmentBuilder::full() const noexcept { return bytes_of(segment_) >= kMaxBytes; }

bool SegmentBuilder::due(std::chrono::steady_clock::time_point now) const noexcept {
  return oldest_ && (full() || now - *oldest_ >= kMaxAge);
}

Segment SegmentBuilder::take() {
  Segment full =
      std::exchange(segment_, empty_segment(segment_.tap, segment_.shape, segment_.origin, segment_.storage));
  oldest_.reset();
  return full;
}

}  // namespace headstart
