// tests/features/cache/made_up_segment.hpp: segments for the tests of the cache, whose rows follow from their
// keys, so that a wrong row can't pass for the right one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "features/cache/segment.hpp"
#include "features/float16.hpp"

namespace headstart::test {

/// The key of image number `image`.
inline Sha256 made_up_key(int image) { return sha256("image " + std::to_string(image)); }

/// The activations of image number `image`: about `nonzero_share` of them not zero, all from the image's
/// number.
inline std::vector<float> made_up_row(int image, std::size_t size, double nonzero_share = 0.1) {
  std::uint32_t state = static_cast<std::uint32_t>(image) * 2654435761U + 1U;
  std::vector<float> row(size);
  for (float& value : row) {
    state = state * 1664525U + 1013904223U;
    const double uniform = static_cast<double>(state) / 4294967296.0;
    value = uniform < nonzero_share ? 1.0F + static_cast<float>(state >> 10U) / 1000.0F : 0.0F;
  }
  return row;
}

/// A segment's rows, rounded to float16 and to be stored so.
inline Segment stored_as_float16(Segment segment) {
  segment.storage = FeatureType::kFloat16;
  for (float& value : segment.rows.values) value = rounded_to_float16(value);
  return segment;
}

/// A block5_pool segment of these images for a 32 x 32 (1 x 1 x 512) or any other input.
inline Segment made_up_segment(const std::vector<int>& images, MapShape shape = {1, 1, 512},
                               double nonzero_share = 0.1, const std::string& host = "host") {
  Segment segment;
  segment.shape = shape;
  segment.rows.columns = static_cast<std::int64_t>(shape.size());
  segment.origin = {
      .engine = "engine", .engine_version = "1.2, direct", .headstart_version = "0.1", .host = host};
  for (const int image : images) {
    segment.keys.push_back(made_up_key(image));
    segment.rows.append_dense(made_up_row(image, shape.size(), nonzero_share));
  }
  return segment;
}

}  // namespace headstart::test
