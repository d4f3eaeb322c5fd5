// features/cache/segment.hpp: a segment, the cache's unit on disk: the activations of some images at one tap,
// as an HDF5 file image. Format (docs/cache-format.md): CSR with attributes in AnnData's convention, or dense
// [n, h, w, c], whichever is smaller. The name of a segment is the SHA-256 of its bytes; a visible segment
// never changes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "data/sha256.hpp"
#include "features/feature_type.hpp"
#include "features/network/known_networks.hpp"
#include "memory/sparse_rows.hpp"

namespace headstart {

/// Origin of a segment's rows; informative only.
struct SegmentOrigin {
  std::string engine;          ///< "onednn"
  std::string engine_version;  ///< "oneDNN 2.6.3, winograd F(4x4,3x3) in 12 layers, direct in 1"
  std::string headstart_version;
  std::string host;

  bool operator==(const SegmentOrigin&) const = default;
};

/// A limit that no number of compactions reaches.
constexpr std::int32_t kMaxGeneration = 1'000'000'000;

/// Invariant: keys.size() == rows.rows(); rows.columns == shape.size(). The rows' values are finite, not
/// zero, and exact in `storage`. The code that makes a row rounds it, so that storing the row changes
/// nothing.
struct Segment {
  Tap tap = vgg16().default_tap;
  MapShape shape;
  std::vector<Sha256> keys;  ///< of each row: the SHA-256 of its image file, or view_key()
  SparseRows rows;
  SegmentOrigin origin;
  FeatureType storage = FeatureType::kFloat32;
  /// 0: rows as they were computed. Higher: merged from segments of lower generations only (compaction.hpp).
  std::int32_t generation = 0;
};

/// Size on disk, in bytes, of the activations of `rows` rows with `nonzeros` activations that are not zero.
[[nodiscard]] std::size_t activation_bytes(std::size_t rows, std::size_t nonzeros, const MapShape& shape,
                                           FeatureType storage);

/// The bytes of the HDF5 file, built in memory. The same segment always gives the same bytes.
[[nodiscard]] std::vector<std::byte> encode_segment(const Segment& segment);

/// Reads the result of encode_segment(). Checks every shape, index and count before it allocates memory for
/// them. Only for bytes whose SHA-256 was verified: damaged metadata can crash HDF5 1.10.
/// @throws Error kFailed saying which condition fails
[[nodiscard]] Segment decode_segment(std::span<const std::byte> bytes);

/// A segment without its activations.
struct SegmentHeader {
  Tap tap = vgg16().default_tap;
  MapShape shape;
  std::vector<Sha256> keys;
  std::vector<std::int32_t> nonzeros;  ///< of each row, so that a reader can allocate memory in advance
  SegmentOrigin origin;
  FeatureType storage = FeatureType::kFloat32;
  std::int32_t generation = 0;
};

/// Like decode_segment(), without reading the activations. @throws Error as decode_segment
[[nodiscard]] SegmentHeader decode_segment_header(std::span<const std::byte> bytes);

/// What all segments of a folder have in common.
struct SegmentKind {
  Tap tap = vgg16().default_tap;
  MapShape shape;
  FeatureType storage = FeatureType::kFloat32;
};

/// How a segment differs from those of `wanted`: "it holds float16, not float32". Nothing if it does not.
[[nodiscard]] std::optional<std::string> misfit(const SegmentKind& found, const SegmentKind& wanted);

/// "segment-<64 hexadecimal digits>.h5".
[[nodiscard]] std::string segment_file_name(const Sha256& digest);

}  // namespace headstart
