// features/extraction/pending_image.cpp: see pending_image.hpp.
#include "features/extraction/pending_image.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <new>
#include <optional>
#include <span>
#include <utility>
#include <variant>

#include "data/archive/file_stamp.hpp"
#include "data/file_bytes.hpp"
#include "data/image/decode.hpp"
#include "data/image/image_header.hpp"
#include "data/image/resize.hpp"
#include "data/image/view.hpp"
#include "features/network/preprocessing.hpp"

namespace headstart {

namespace {

std::int64_t now_ns() {
  using std::chrono::nanoseconds;
  const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<nanoseconds>(since_1970).count();
}

/// Whether the image takes so much memory (75 MB as RGB) that not every thread should have one at once.
bool is_large(std::span<const std::byte> bytes) {
  constexpr std::uint64_t kLargePixels = 25'000'000;
  const auto header = read_image_header(bytes);
  return std::holds_alternative<ImageHeader>(header) && std::get<ImageHeader>(header).pixels() > kLargePixels;
}

}  // namespace

ImageStatus& status_of(ImageResult& result, int view) {
  return view == 0 ? result.status : result.views[static_cast<std::size_t>(view) - 1];
}

void PendingImage::leave() {
  bytes = std::vector<std::byte>();
  missing.clear();
  was_decoded = false;
}

void PendingImage::reject(std::string reason) {
  bytes = std::vector<std::byte>();
  if (!missing.empty() && missing.front().view > 0) {
    for (const MissingRow& row : missing) status_of(result, row.view) = ImageStatus::kRejected;
    result.note = "gets no views: " + reason;
  } else {
    result.status = ImageStatus::kRejected;
    std::fill(result.views.begin(), result.views.end(), ImageStatus::kRejected);
    result.reason = std::move(reason);
    lower.clear();
  }
  missing.clear();
}

void PendingImage::take(std::variant<std::vector<std::byte>, Reject> read) {
  if (const auto* reason = std::get_if<Reject>(&read)) return reject(reason->reason);
  bytes = std::get<std::vector<std::byte>>(std::move(read));
}

void identify_image(const ExtractionOptions& options, const ImageSource& source, PendingImage& image) {
  std::optional<Sha256>& content = image.result.content;
  if (content || !source.problem.empty()) return;
  FileDigests* const digests = options.digests;
  std::optional<FileStamp> before;
  if (source.member) {
    if (image.bytes.empty()) return;  // a reject
    before = source.member->archive;
  } else {
    if (digests != nullptr) before = stamp_of(source);
    if (before) content = digests->find(*before);
    if (content) return;
    auto read = read_file(source.file, kMaxImageFileBytes);
    if (const auto* reject = std::get_if<Reject>(&read)) return image.reject(reject->reason);
    image.bytes = std::get<std::vector<std::byte>>(std::move(read));
  }
  content = sha256(image.bytes);
  if (digests != nullptr && before && stamp_of(source) == before)
    digests->add(*before, *content, now_ns(), source.member);
}

void decode_rows(const ExtractionOptions& options, const std::filesystem::path& file,
                 std::mutex& large_images, PendingImage& image) {
  if (image.missing.empty()) return;
  try {
    if (image.bytes.empty()) {
      auto read = read_file(file, kMaxImageFileBytes);
      if (const auto* reject = std::get_if<Reject>(&read)) return image.reject(reject->reason);
      image.bytes = std::get<std::vector<std::byte>>(std::move(read));
      if (sha256(image.bytes) != image.result.content) return image.reject("changed while it was read");
    }
    std::unique_lock<std::mutex> turn(large_images, std::defer_lock);
    if (is_large(image.bytes)) turn.lock();
    auto decoded = decode_image(image.bytes, options.decode);
    image.bytes = std::vector<std::byte>();
    if (const auto* reject = std::get_if<Reject>(&decoded)) return image.reject(reject->reason);
    auto& [upright, note] = std::get<DecodedImage>(decoded);
    const auto size = static_cast<std::size_t>(options.resize.size);
    const std::size_t row_size = size * size * 3;
    image.pixels.resize(image.missing.size() * row_size);
    for (std::size_t i = 0; i < image.missing.size(); ++i) {
      const MissingRow& row = image.missing[i];
      const std::span<float> pixels = std::span(image.pixels).subspan(i * row_size, row_size);
      if (row.view == 0) {
        resize(upright, options.resize, pixels);
      } else {
        resize(cut(upright, draw_view(row.key, upright.width, upright.height)), options.resize, pixels);
      }
      preprocess(options.preprocessing, pixels);
    }
    image.result.note = std::move(note);
  } catch (const std::bad_alloc&) {
    image.reject("too large to decode in the memory there is");
  }
}

}  // namespace headstart
