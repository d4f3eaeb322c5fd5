// data/image/tiff_directory.hpp: reads the first directory of a TIFF block. In a TIFF file it describes the
// first page; in EXIF it holds the orientation. Reads entries, not pixels.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "data/image/byte_view.hpp"

namespace headstart {

/// Tags that headstart reads (TIFF 6.0, EXIF 2.32).
enum class TiffTag : std::uint16_t {
  kImageWidth = 256,
  kImageLength = 257,
  kPhotometric = 262,
  kOrientation = 274,
  kExtraSamples = 338,
};

class TiffDirectory {
 public:
  /// The first directory of a TIFF or BigTIFF block; nothing if `block` is neither. The bytes must outlive
  /// the result.
  [[nodiscard]] static std::optional<TiffDirectory> read(std::span<const std::byte> block);

  [[nodiscard]] bool has(TiffTag tag) const;

  /// Value `index` of a BYTE, SHORT or LONG tag; nothing if the tag is absent, of another type, or out of
  /// bounds.
  [[nodiscard]] std::optional<std::uint32_t> number(TiffTag tag, std::uint32_t index = 0) const;

 private:
  struct Entry {
    std::uint64_t position = 0;  ///< of the entry in the block
    std::uint16_t tag = 0;
    std::uint16_t type = 0;
    std::uint64_t count = 0;
  };

  TiffDirectory(std::span<const std::byte> block, std::endian order, bool big_tiff)
      : view_(block, order), big_tiff_(big_tiff) {}

  ByteView view_;
  bool big_tiff_;
  std::vector<Entry> entries_;
};

}  // namespace headstart
