// data/image/byte_view.hpp: reads numbers from an untrusted file. Invariant: no read leaves the bytes,
// whatever the offset. Note: a number that lies past the end reads as 0; a parser calls holds() where 0 has a
// meaning.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace headstart {

/// Bytes with a byte order. Copying is cheap; the bytes belong to the caller.
class ByteView {
 public:
  explicit ByteView(std::span<const std::byte> bytes, std::endian order = std::endian::big) noexcept
      : bytes_(bytes), order_(order) {}

  [[nodiscard]] std::size_t size() const noexcept { return bytes_.size(); }
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return bytes_; }

  /// Whether [offset, offset + count) lies inside.
  [[nodiscard]] bool holds(std::uint64_t offset, std::uint64_t count) const noexcept {
    return offset <= size() && count <= size() - offset;
  }

  [[nodiscard]] std::uint8_t u8(std::uint64_t offset) const noexcept {
    return static_cast<std::uint8_t>(number(offset, 1));
  }
  [[nodiscard]] std::uint16_t u16(std::uint64_t offset) const noexcept {
    return static_cast<std::uint16_t>(number(offset, 2));
  }
  [[nodiscard]] std::uint32_t u24(std::uint64_t offset) const noexcept {
    return static_cast<std::uint32_t>(number(offset, 3));
  }
  [[nodiscard]] std::uint32_t u32(std::uint64_t offset) const noexcept {
    return static_cast<std::uint32_t>(number(offset, 4));
  }
  [[nodiscard]] std::uint64_t u64(std::uint64_t offset) const noexcept { return number(offset, 8); }

  /// Up to `count` bytes from `offset`; fewer, or none, at the end.
  [[nodiscard]] std::span<const std::byte> slice(std::uint64_t offset, std::uint64_t count) const noexcept {
    if (offset >= size()) return {};
    const std::uint64_t left = size() - offset;
    return bytes_.subspan(offset, count < left ? count : left);
  }

  [[nodiscard]] bool has(std::uint64_t offset, std::string_view text) const noexcept {
    return holds(offset, text.size()) && this->text(offset, text.size()) == text;
  }

  /// slice() as characters.
  [[nodiscard]] std::string_view text(std::uint64_t offset, std::uint64_t count) const noexcept {
    const std::span<const std::byte> part = slice(offset, count);
    return {reinterpret_cast<const char*>(part.data()), part.size()};
  }

 private:
  [[nodiscard]] std::uint64_t number(std::uint64_t offset, std::uint64_t width) const noexcept {
    if (!holds(offset, width)) return 0;
    std::uint64_t value = 0;
    for (std::uint64_t i = 0; i < width; ++i) {
      const std::uint64_t place = order_ == std::endian::big ? width - 1 - i : i;
      value |= std::to_integer<std::uint64_t>(bytes_[offset + i]) << (8U * place);
    }
    return value;
  }

  std::span<const std::byte> bytes_;
  std::endian order_;
};

}  // namespace headstart
