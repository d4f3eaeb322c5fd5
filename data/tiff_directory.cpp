// data/tiff_directory.cpp: see tiff_directory.hpp; the layout is section 2 of TIFF 6.0.
#include "data/tiff_directory.hpp"

#include <string_view>

namespace headstart {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t kEntryBytes = 12;
constexpr std::uint16_t kByte = 1;
constexpr std::uint16_t kShort = 3;
constexpr std::uint16_t kLong = 4;

std::uint32_t width_of(std::uint16_t type) {
  return type == kByte ? 1 : type == kShort ? 2 : type == kLong ? 4 : 0;
}

}  // namespace

std::optional<TiffDirectory> TiffDirectory::read(std::span<const std::byte> block) {
  const ByteView start(block);
  const bool little = start.has(0, "II*\0"sv);
  if (!little && !start.has(0, "MM\0*"sv)) return std::nullopt;
  TiffDirectory directory(block, little ? std::endian::little : std::endian::big);
  const ByteView& view = directory.view_;
  const std::uint64_t offset = view.u32(4);
  if (!view.holds(offset, 2)) return std::nullopt;
  const std::size_t count = view.u16(offset);
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t position = offset + 2 + i * kEntryBytes;
    if (!view.holds(position, kEntryBytes)) break;
    directory.entries_.push_back(
        {position, view.u16(position), view.u16(position + 2), view.u32(position + 4)});
  }
  return directory;
}

std::optional<std::uint32_t> TiffDirectory::number(TiffTag tag, std::uint32_t index) const {
  for (const Entry& entry : entries_) {
    if (entry.tag != static_cast<std::uint16_t>(tag)) continue;
    const std::uint64_t width = width_of(entry.type);
    if (width == 0 || index >= entry.count) return std::nullopt;
    // Values that fit into four bytes stand in the entry itself.
    const std::uint64_t start = width * entry.count <= 4 ? entry.position + 8 : view_.u32(entry.position + 8);
    const std::uint64_t position = start + width * index;
    if (!view_.holds(position, width)) return std::nullopt;
    return width == 1 ? view_.u8(position) : width == 2 ? view_.u16(position) : view_.u32(position);
  }
  return std::nullopt;
}

void TiffDirectory::overwrite(TiffTag tag, std::uint32_t value, std::span<std::byte> copy) const {
  const auto put = [&](std::size_t position, std::size_t width, std::uint32_t number) {
    for (std::size_t i = 0; i < width; ++i) {
      const std::size_t place = order_ == std::endian::big ? width - 1 - i : i;
      copy[position + i] = static_cast<std::byte>(number >> (8U * place));
    }
  };
  for (const Entry& entry : entries_) {
    if (entry.tag != static_cast<std::uint16_t>(tag)) continue;
    put(entry.position + 2, 2, kLong);
    put(entry.position + 4, 4, 1);
    put(entry.position + 8, 4, value);
  }
}

}  // namespace headstart
