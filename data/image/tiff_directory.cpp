// data/image/tiff_directory.cpp: see tiff_directory.hpp. The layout is section 2 of TIFF 6.0; BigTIFF has
// eight bytes in place of four.
#include "data/image/tiff_directory.hpp"

#include <algorithm>
#include <string_view>

namespace headstart {
namespace {

using namespace std::string_view_literals;

constexpr std::uint16_t kByte = 1;
constexpr std::uint16_t kShort = 3;
constexpr std::uint16_t kLong = 4;
constexpr std::uint16_t kSignedByte = 6;  // some cameras write EXIF's orientation as a signed number
constexpr std::uint16_t kSignedShort = 8;
constexpr std::uint16_t kSignedLong = 9;

std::uint32_t width_of(std::uint16_t type) {
  switch (type) {
    case kByte:
    case kSignedByte:
      return 1;
    case kShort:
    case kSignedShort:
      return 2;
    case kLong:
    case kSignedLong:
      return 4;
    default:
      return 0;
  }
}

}  // namespace

std::optional<TiffDirectory> TiffDirectory::read(std::span<const std::byte> block) {
  const ByteView start(block);
  const bool little = start.has(0, "II"sv);
  const bool big_tiff = start.has(0, "II+\0\x08\0\0\0"sv) || start.has(0, "MM\0+\0\x08\0\0"sv);
  if (!big_tiff && !start.has(0, "II*\0"sv) && !start.has(0, "MM\0*"sv)) return std::nullopt;
  TiffDirectory directory(block, little ? std::endian::little : std::endian::big, big_tiff);
  const ByteView& view = directory.view_;
  const std::uint64_t offset = big_tiff ? view.u64(8) : view.u32(4);
  const std::uint64_t count_bytes = big_tiff ? 8 : 2;
  if (!view.holds(offset, count_bytes)) return std::nullopt;
  const std::uint64_t count = big_tiff ? view.u64(offset) : view.u16(offset);
  const std::uint64_t entry_bytes = big_tiff ? 20 : 12;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t position = offset + count_bytes + i * entry_bytes;
    if (!view.holds(position, entry_bytes)) break;
    directory.entries_.push_back({position, view.u16(position), view.u16(position + 2),
                                  big_tiff ? view.u64(position + 4) : view.u32(position + 4)});
  }
  return directory;
}

bool TiffDirectory::has(TiffTag tag) const {
  return std::any_of(entries_.begin(), entries_.end(),
                     [&](const Entry& entry) { return entry.tag == static_cast<std::uint16_t>(tag); });
}

std::optional<std::uint32_t> TiffDirectory::number(TiffTag tag, std::uint32_t index) const {
  for (const Entry& entry : entries_) {
    if (entry.tag != static_cast<std::uint16_t>(tag)) continue;
    const std::uint64_t width = width_of(entry.type);
    if (width == 0 || index >= entry.count) return std::nullopt;
    // Values that fit into the offset field are stored in that field.
    const std::uint64_t field = entry.position + (big_tiff_ ? 12 : 8);
    const bool fits = entry.count <= (big_tiff_ ? 8U : 4U) / width;
    const std::uint64_t start = fits ? field : big_tiff_ ? view_.u64(field) : view_.u32(field);
    const std::uint64_t position = start + width * index;
    if (!view_.holds(position, width)) return std::nullopt;
    return width == 1 ? view_.u8(position) : width == 2 ? view_.u16(position) : view_.u32(position);
  }
  return std::nullopt;
}

}  // namespace headstart
