// features/segment.hpp: the cache's unit on disk: the activations of some images at one tap, as an HDF5 file
// image. Format (docs/cache-format.md): attribute-tagged CSR in AnnData's convention, or dense [n, h, w, c],
// whichever is smaller. A segment is named by the SHA-256 of its bytes and never changes once it is visible.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/sha256.hpp"
#include "features/csr_rows.hpp"
#include "features/feature_type.hpp"
#include "features/vgg16.hpp"

namespace headstart {

/// Where a segment's rows come from; informative only.
struct SegmentOrigin {
  std::string engine;          ///< "onednn"
  std::string engine_version;  ///< "oneDNN 2.6.3, winograd F(4x4,3x3) in 12 layers, direct in 1"
  std::string headstart_version;
  std::string host;

  bool operator==(const SegmentOrigin&) const = default;
};

/// No cache is compacted so often.
constexpr std::int32_t kMaxGeneration = 1'000'000'000;

/// Invariant: keys.size() == rows.rows(); rows.columns == shape.size(); the rows' values are finite, not
/// zero, and such as `storage` has: whoever makes a row rounds it, so that it is the same before and after.
struct Segment {
  Tap tap = Tap::kBlock5Pool;
  MapShape shape;
  std::vector<Sha256> keys;  ///< SHA-256 of each row's image file
  CsrRows rows;
  SegmentOrigin origin;
  FeatureType storage = FeatureType::kFloat32;
  /// 0: rows as they were computed. Higher: merged, from segments of lower generations only (compaction.hpp).
  std::int32_t generation = 0;
};

/// Bytes of the activations on disk: of `rows` rows that have `nonzeros` activations that are not zero.
[[nodiscard]] std::size_t activation_bytes(std::size_t rows, std::size_t nonzeros, const MapShape& shape,
                                           FeatureType storage);

/// The bytes of the HDF5 file, built in memory; the same segment gives the same bytes.
[[nodiscard]] std::vector<std::byte> encode_segment(const Segment& segment);

/// Reads back what encode_segment wrote; every shape, index and count is checked before anything is allocated
/// from it. Call it on bytes whose SHA-256 was verified: damaged metadata can crash HDF5 1.10.
/// @throws Error kFailed saying what does not hold
[[nodiscard]] Segment decode_segment(std::span<const std::byte> bytes);

/// A segment without its activations.
struct SegmentHeader {
  Tap tap = Tap::kBlock5Pool;
  MapShape shape;
  std::vector<Sha256> keys;
  std::vector<std::int32_t> nonzeros;  ///< of each row, so that a reader can allocate before it reads
  SegmentOrigin origin;
  FeatureType storage = FeatureType::kFloat32;
  std::int32_t generation = 0;
};

/// The same without reading the activations. @throws Error as decode_segment
[[nodiscard]] SegmentHeader decode_segment_header(std::span<const std::byte> bytes);

/// "segment-<64 hexadecimal digits>.h5".
[[nodiscard]] std::string segment_file_name(const Sha256& digest);

}  // namespace headstart
