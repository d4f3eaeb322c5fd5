// features/pending_image.hpp: one file on its way through the extractor, and the steps that threads take with
// it in parallel: reading, hashing and decoding. Surprise: an image whose own row is cached may still be
// decoded, for its views; if that fails it stays.
#pragma once

#include <cstddef>
#include <filesystem>
#include <mutex>
#include <string>
#include <variant>
#include <vector>

#include "data/error.hpp"
#include "data/sha256.hpp"
#include "features/extractor.hpp"
#include "features/lower_taps.hpp"

namespace headstart {

/// A row of an image that some cache wants.
struct MissingRow {
  int view = 0;  ///< 0: the image itself
  Sha256 key;
  CacheSet lacking;  ///< the caches that want it
};

/// One that is missing as well, but is cached at a lower tap.
struct LowerRow {
  Tap from = Tap::kBlock1Pool;
  MissingRow row;
};

/// Fate of view `view` of an image, 0 being the image itself.
[[nodiscard]] ImageStatus& status_of(ImageResult& result, int view);

struct PendingImage {
  std::size_t index = 0;  ///< of the file
  ImageResult result;
  std::vector<std::byte> bytes;     ///< of the file, if it was read, until it is decoded
  std::vector<MissingRow> missing;  ///< by view; whose pixels the network has to see
  std::vector<LowerRow> lower;      ///< by view; what can be computed from a lower tap
  std::vector<float> pixels;        ///< [missing.size(), size, size, 3], preprocessed
  bool was_decoded = false;         ///< or was to be
  bool ran_network = false;         ///< its rows filled a batch: segments may be due

  /// What reading it gave: its bytes, or the reason why it is a reject.
  void take(std::variant<std::vector<std::byte>, Reject> read);
  /// Leaves what it misses as it is: the run was interrupted.
  void leave();
  /// Settles the image without rows. One that has its own row already stays: it only gets no views.
  void reject(std::string reason);
};

/// The hash of the image's bytes, unless it is known or a reject: a file's from `options.digests` if it is as
/// it was, else by reading it; a member's from the bytes that the image has. The digests learn what they
/// didn't know.
void identify_image(const ExtractionOptions& options, const ImageSource& source, PendingImage& image);

/// File bytes to the pixels of the rows that are missing, with one decode; reads the bytes if nobody has yet,
/// and drops them.
/// @param large_images  held while an image of more than 25 megapixels is in memory, so that memory does not
/// grow with the number of threads that meet one
void decode_rows(const ExtractionOptions& options, const std::filesystem::path& file,
                 std::mutex& large_images, PendingImage& image);

}  // namespace headstart
