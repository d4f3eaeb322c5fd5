// pipeline/report/pictures.cpp
#include "pipeline/report/pictures.hpp"

#include <openssl/evp.h>
#include <tbb/parallel_for.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "data/archive/image_reader.hpp"
#include "data/image/image_header.hpp"
#include "data/image/thumbnail.hpp"

namespace headstart {
namespace {

constexpr int kSide = 96;  // pixels
constexpr std::uint64_t kMostArchiveBytes = std::uint64_t{1} << 30;
constexpr std::size_t kAtOnce = 64;  // images whose files are in memory together

std::string base64(std::span<const std::byte> bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');  // with room for the terminator
  const int length =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(length));
  return text;
}

void set_picture(ShownImage& image, std::span<const std::byte> file, const DecodeOptions& options) {
  const auto made = make_thumbnail(file, options, kSide);
  const auto* jpeg = std::get_if<std::vector<std::byte>>(&made);
  if (jpeg == nullptr) return;
  const auto header = read_image_header(*jpeg);
  image.width = static_cast<int>(std::get<ImageHeader>(header).width);
  image.height = static_cast<int>(std::get<ImageHeader>(header).height);
  image.jpeg = base64(*jpeg);
}

/// The total size of all archives with samples, in bytes.
std::uint64_t archive_bytes(const Manifest& manifest) {
  std::set<std::filesystem::path> seen;
  std::uint64_t bytes = 0;
  for (const Sample& sample : manifest.samples) {
    if (sample.source.member && seen.insert(sample.source.file).second)
      bytes += sample.source.member->archive.bytes;
  }
  return bytes;
}

/// The images that get pictures, evenly spread if not all can have one.
std::vector<ImageNumber> within(const PictureLimit& limit, const std::vector<ImageNumber>& missing,
                                const Manifest& manifest) {
  const std::size_t count = std::min(limit.pictures, missing.size());
  std::vector<ImageNumber> chosen;
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const ImageNumber number = missing[i * missing.size() / count];
    const ImageSource& source = manifest.samples[number].source;
    if (!source.member && limit.bytes != PictureLimit{}.bytes) {
      const auto stamp = stamp_of(source);
      if (stamp) bytes += stamp->bytes;
      if (bytes > limit.bytes) break;
    }
    chosen.push_back(number);
  }
  return chosen;
}

}  // namespace

void take_pictures(std::map<ImageNumber, ShownImage>& images, const Manifest& manifest,
                   const DecodeOptions& options, const PictureLimit& limit) {
  const bool reads_archives = archive_bytes(manifest) <= kMostArchiveBytes;
  std::vector<ImageNumber> missing;
  for (const auto& [number, image] : images) {
    const ImageSource& source = manifest.samples[number].source;
    if (image.jpeg.empty() && !source.file.empty() && (reads_archives || !source.member))
      missing.push_back(number);
  }
  const std::vector<ImageNumber> chosen = within(limit, missing, manifest);
  std::vector<ImageSource> sources;
  sources.reserve(chosen.size());
  for (const ImageNumber number : chosen) sources.push_back(manifest.samples[number].source);
  const std::vector<std::size_t> order = reading_order(sources);
  ImageReader reader;
  for (std::size_t begin = 0; begin < order.size(); begin += kAtOnce) {
    const std::size_t end = std::min(begin + kAtOnce, order.size());
    std::vector<std::pair<ShownImage*, std::vector<std::byte>>> files;
    for (std::size_t i = begin; i < end; ++i) {
      auto read = reader.read(sources[order[i]]);
      if (auto* bytes = std::get_if<std::vector<std::byte>>(&read))
        files.emplace_back(&images.at(chosen[order[i]]), std::move(*bytes));
    }
    tbb::parallel_for(std::size_t{0}, files.size(),
                      [&](std::size_t i) { set_picture(*files[i].first, files[i].second, options); });
  }
}

}  // namespace headstart
