// features/extraction/extractor.hpp: stage one: images through the network into the cache, in bounded memory.
//   read + hash -> look up -> decode + resize -> batch -> network -> encode -> one writer
// (a oneTBB parallel_pipeline). An image whose row is cached at a lower tap (nearer to the image) is not
// decoded. After all images, the network continues from such rows:
//   read segment -> batch -> VGG blocks above that tap -> encode -> write
// Invariant: result i belongs to file i, whatever happens to the others. A file may have views
// (data/image/view.hpp): further rows of the cache, from the same read and the same decode.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "data/archive/image_reader.hpp"
#include "data/archive/image_source.hpp"
#include "data/image/decode.hpp"
#include "data/image/resize.hpp"
#include "data/image/view.hpp"
#include "data/sha256.hpp"
#include "features/cache/cache.hpp"
#include "features/cache/file_digests.hpp"
#include "features/engines/engine.hpp"
#include "features/extraction/lower_taps.hpp"
#include "features/network/preprocessing.hpp"

namespace headstart {

/// The result of an image, or of a view of one.
enum class ImageStatus {
  kCached,     ///< its row was in the cache
  kExtracted,  ///< went through the network in this run
  kCopy,       ///< a file with the same bytes went through the network earlier in this run
  kRejected,   ///< has a reason instead of a row
  kSkipped,    ///< not reached, because the run was interrupted
};

/// Whether the caches hold the row of a result. @param status  of the image or view
[[nodiscard]] constexpr bool has_row(ImageStatus status) noexcept {
  return status != ImageStatus::kRejected && status != ImageStatus::kSkipped;
}

/// How many views an image may have. Their rows are in memory together.
inline constexpr int kMaxViews = 64;

/// The result of one file.
struct ImageResult {
  ImageStatus status = ImageStatus::kSkipped;
  std::optional<Sha256> content;  ///< digest of the file's bytes; nothing if they could not be read
  std::string reason;             ///< why the image is a reject
  std::string note;               ///< a warning about an image that is used
  /// The results of views 1, 2, ..., ExtractionOptions::views. The row of a view is in the cache under
  /// view_key(*content, number) where has_row(). All views are kRejected if the image is. A
  /// single view is kRejected if the network, or the storage, overflows on it.
  std::vector<ImageStatus> views;

  bool operator==(const ImageResult&) const = default;
};

/// How many files are done, with which results.
struct ExtractionProgress {
  std::size_t done = 0;
  std::size_t total = 0;
  std::size_t cached = 0;
  std::size_t rejected = 0;
};

/// How stage one treats each image, and how it reports progress.
struct ExtractionOptions {
  DecodeOptions decode;
  ResizeOptions resize;
  Preprocessing preprocessing;
  int views = 0;    ///< of each image, besides the image itself; 0..kMaxViews
  int threads = 0;  ///< for reading and decoding; 0: all that the process may use
  /// The known digests. A known file or member is read only if one of its rows is missing. New digests are
  /// added. Null: all files are read.
  FileDigests* digests = nullptr;
  std::function<void(const ExtractionProgress&)> on_progress;  ///< called from one thread at a time
  /// Once true: finish the batch in the network, publish, skip the rest.
  const std::atomic<bool>* stop = nullptr;
  /// Gives the caches of lower taps (nearer to the image). Empty: every missing row is computed from its
  /// image.
  LowerCache lower;
  /// Reads archives on from where the last call stopped. nullptr: from the front.
  ImageReader* reader = nullptr;
};

/// The results of all files.
struct Extraction {
  std::vector<ImageResult> images;          ///< one for each file, in order
  std::optional<EngineDescription> engine;  ///< nothing if no row needed the network
  std::size_t decoded = 0;                  ///< files that had to be decoded, each once for all of its rows
  RowsOfTaps from_taps;                     ///< rows, of images and views, that were computed from each tap
  double seconds = 0.0;
  bool interrupted = false;
};

/// Opens the engine that begins at `from`. Called when the first row needs the engine, so that a run with all
/// rows cached opens none.
using OpenEngine = std::function<std::unique_ptr<Engine>(const std::optional<Tap>& from)>;

/// Fills `caches` (one for each tap, at least one) with the rows of `files` and of their views, all taps in
/// one pass. A row goes through the network if any of the caches lacks it. The network begins at the nearest
/// lower tap at which the row is cached, else at the image. A file is decoded at most once, if any of its
/// rows needs that. It is decoded, too, if a row's lower tap proves damaged when it is read. An engine's taps
/// must be those of the caches above the engine's first tap, in their order. Its input size must be
/// resize.size. Archives are read once, from front to back. An image with an activation that is not finite,
/// or too large for the caches' float16, is a reject, never a cached row. Memory grows with threads times
/// views, not with the number of files.
/// @throws Error kFailed if the engine fails; rows that were computed before are published
[[nodiscard]] Extraction extract(std::span<const ImageSource> files, const ExtractionOptions& options,
                                 const OpenEngine& open_engine, std::span<FeatureCache* const> caches);

}  // namespace headstart
