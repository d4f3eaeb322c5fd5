// features/extractor.hpp: stage one: images through the network into the cache, in bounded memory.
//   read + hash -> look up -> decode + resize -> batch -> network -> encode -> one writer
// (a oneTBB parallel_pipeline). What is cached at a lower tap is no image's business: once the images are
// through,
//   read segment -> batch -> upper blocks of the network -> encode -> write
// Invariant: result i belongs to file i, whatever happens to the others.
// A file may bring views (data/view.hpp): further rows of the cache, from the same read and the same decode.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "data/decode.hpp"
#include "data/image_reader.hpp"
#include "data/image_source.hpp"
#include "data/resize.hpp"
#include "data/sha256.hpp"
#include "data/view.hpp"
#include "features/cache.hpp"
#include "features/engine.hpp"
#include "features/file_digests.hpp"
#include "features/lower_taps.hpp"
#include "features/preprocessing.hpp"

namespace headstart {

/// What became of an image, or of a view of one.
enum class ImageStatus {
  kCached,     ///< its row was in the cache, or its bytes were seen earlier in this run
  kExtracted,  ///< went through the network now
  kRejected,   ///< has a reason instead of a row
  kSkipped,    ///< not reached: the run was interrupted
};

/// How many views an image may have: its rows wait in memory together.
inline constexpr int kMaxViews = 64;

/// The fate of one file.
struct ImageResult {
  ImageStatus status = ImageStatus::kSkipped;
  std::optional<Sha256> content;  ///< of the file's bytes; nothing where they could not be read
  std::string reason;             ///< of a reject
  std::string note;               ///< a warning about an image that is used
  /// Fate of views 1, 2, ..., ExtractionOptions::views of them: their rows are in the cache under
  /// view_key(*content, number) if kCached or kExtracted. kRejected for all where the image is; for a single
  /// one if the network, or its storage, overflows on it.
  std::vector<ImageStatus> views;

  bool operator==(const ImageResult&) const = default;
};

/// How many of the files are through, and what became of them.
struct ExtractionProgress {
  std::size_t done = 0;
  std::size_t total = 0;
  std::size_t cached = 0;
  std::size_t rejected = 0;
};

/// What stage one does with each image, and whom it tells.
struct ExtractionOptions {
  DecodeOptions decode;
  ResizeOptions resize;
  Preprocessing preprocessing;
  int views = 0;    ///< of each image, beside the image itself; 0..kMaxViews
  int threads = 0;  ///< for reading and decoding; 0: all that the process may use
  /// Files and members that it knows are read only if a row of theirs is missing; learns the others. Null:
  /// all are read.
  FileDigests* digests = nullptr;
  std::function<void(const ExtractionProgress&)> on_progress;  ///< called from one thread at a time
  /// Once true: finish the batch that is in the network, publish, skip the rest.
  const std::atomic<bool>* stop = nullptr;
  /// The caches of the taps below; empty: whatever is missing is computed from its image.
  LowerCache lower;
  /// Reads archives on from where the call before left them; nullptr: from the front.
  ImageReader* reader = nullptr;
};

/// What became of all files.
struct Extraction {
  std::vector<ImageResult> images;          ///< one for each file, in order
  std::optional<EngineDescription> engine;  ///< nothing if no image needed the network
  std::size_t decoded = 0;                  ///< files that had to be decoded, each once for all of its rows
  RowsOfTaps from_taps{};                   ///< rows, of images and views, that were computed from each tap
  double seconds = 0.0;
  bool interrupted = false;
};

/// Opens the engine that begins at `from` when the first row needs it: a run that hits the cache throughout
/// never pays for one.
using OpenEngine = std::function<std::unique_ptr<Engine>(std::optional<Tap> from)>;

/// Fills `caches` (one for each tap, at least one) with the rows of `files` and of their views, all taps in
/// one pass. A row goes through the network if any of the caches lacks it: from the nearest tap below at
/// which it is cached, else from its image. A file is decoded if any of its rows needs that, once; also where
/// a row's lower tap proves damaged when it is read. An engine's taps must be those of the caches, in their
/// order (those above the tap that it begins at), and its input size resize.size. Archives are read once,
/// from front to back. An image with an activation that is not finite, or too large for the caches' float16,
/// is a reject, never a cached row. Memory grows with threads times views, not with the files.
/// @throws Error kFailed if the engine fails; what was computed before is published
[[nodiscard]] Extraction extract(std::span<const ImageSource> files, const ExtractionOptions& options,
                                 const OpenEngine& open_engine, std::span<FeatureCache* const> caches);

}  // namespace headstart
