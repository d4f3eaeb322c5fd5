// features/extraction/pending_image.hpp: one file on its way through the extractor, and the steps that
// threads do in parallel: reading, hashing and decoding. Note: an image whose own row is cached may still be
// decoded, for its views. If that fails, its own row stays valid.
#pragma once

#include <cstddef>
#include <filesystem>
#include <mutex>
#include <string>
#include <variant>
#include <vector>

#include "data/error.hpp"
#include "data/sha256.hpp"
#include "features/extraction/extractor.hpp"
#include "features/extraction/lower_taps.hpp"

namespace headstart {

/// A row of an image that at least one cache lacks.
struct MissingRow {
  int view = 0;  ///< 0: the image itself
  Sha256 key;
  CacheSet lacking;  ///< the caches that lack it
};

/// A missing row that is cached at a lower tap (nearer to the image).
struct LowerRow {
  Tap from{};
  MissingRow row;
};

/// The result of view `view` of an image; 0 is the image itself.
[[nodiscard]] ImageStatus& status_of(ImageResult& result, int view);

struct PendingImage {
  std::size_t index = 0;  ///< of the file
  ImageResult result;
  std::vector<std::byte> bytes;     ///< of the file, from reading until decoding
  std::vector<MissingRow> missing;  ///< by view; the network needs the pixels of these
  std::vector<LowerRow> lower;      ///< by view; can be computed from a lower tap
  std::vector<float> pixels;        ///< [missing.size(), size, size, 3], preprocessed
  bool was_decoded = false;         ///< true also if decoding failed
  bool ran_network = false;         ///< its rows filled a batch: segments may be due

  /// Takes the result of reading: the bytes, or the reason why the image is a reject.
  void take(std::variant<std::vector<std::byte>, Reject> read);
  /// Marks all missing rows as skipped, because the run was interrupted.
  void leave();
  /// Settles the image without computing rows. If its own row is cached already, the image stays valid and
  /// only gets no views.
  void reject(std::string reason);
};

/// Sets the digest of the image's bytes, unless it is known or the image is a reject. A file's digest comes
/// from `options.digests` if the file has not changed, else from reading the file. A member's digest comes
/// from the bytes in `image`. New digests are added to `options.digests`.
void identify_image(const ExtractionOptions& options, const ImageSource& source, PendingImage& image);

/// Decodes the file once and makes the pixels of all missing rows. Reads the bytes if that has not been done
/// yet, and frees them.
/// @param large_images  held while an image of more than 25 megapixels is in memory. So only one thread at a
/// time has such an image
void decode_rows(const ExtractionOptions& options, const std::filesystem::path& file,
                 std::mutex& large_images, PendingImage& image);

}  // namespace headstart
