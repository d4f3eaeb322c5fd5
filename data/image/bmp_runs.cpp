// data/image/bmp_runs.cpp: a code is two bytes: a count and a colour, or 0 and a command. Memory grows with
// the rows that the codes reach, not with the stated height.
#include "data/image/bmp_runs.hpp"

#include <utility>

#include "data/image/byte_view.hpp"

namespace headstart {
namespace {

constexpr unsigned kEndOfRow = 0;
constexpr unsigned kEndOfImage = 1;
constexpr unsigned kMove = 2;

/// The place of the next pixel.
class Cursor {
 public:
  /// @param bits  of a pixel; some writers also code the pixels that fill a row up to four bytes
  Cursor(std::size_t width, std::size_t height, unsigned bits)
      : width_(width), height_(height), padded_width_((width * bits + 31) / 32 * 32 / bits) {}

  [[nodiscard]] bool is_past_the_end() const { return y_ >= height_; }
  /// Whether the codes left the picture.
  [[nodiscard]] bool has_left() const { return x_ > padded_width_ || y_ > height_; }
  /// Whether every row has begun.
  [[nodiscard]] bool has_met_all_rows() const { return y_ + (x_ > 0 ? 1 : 0) >= height_; }
  [[nodiscard]] bool is_complete() const { return y_ + (x_ >= width_ ? 1 : 0) >= height_; }

  /// @param colour  the index of the i-th pixel
  template <typename Colour>
  void put(std::size_t count, const Colour& colour) {
    const std::size_t row = y_ * width_;
    if (indices_.size() < row + width_) indices_.resize(row + width_);
    for (std::size_t i = 0; i < count && x_ + i < width_; ++i) indices_[row + x_ + i] = colour(i);
    x_ += count;
  }
  void end_row() {
    x_ = 0;
    ++y_;
  }
  void move(std::size_t right, std::size_t on) {
    x_ += right;
    y_ += on;
  }

  [[nodiscard]] std::vector<std::uint8_t> take() {
    indices_.resize(width_ * height_);
    return std::move(indices_);
  }

 private:
  std::size_t width_;
  std::size_t height_;
  std::size_t padded_width_;
  std::size_t x_ = 0;  ///< may be past the end of the row
  std::size_t y_ = 0;
  std::vector<std::uint8_t> indices_;
};

}  // namespace

std::variant<std::vector<std::uint8_t>, Reject> read_bmp_runs(std::span<const std::byte> codes, unsigned bits,
                                                              std::size_t width, std::size_t height) {
  const ByteView view(codes);
  Cursor cursor(width, height, bits);
  // Two pixels share a byte of RLE4. The first pixel is in the upper half.
  const auto half = [](unsigned byte, std::size_t i) {
    return static_cast<std::uint8_t>(i % 2 == 0 ? byte >> 4U : byte & 15U);
  };
  std::size_t position = 0;
  while (!cursor.is_past_the_end()) {
    if (!view.holds(position, 2)) {
      if (cursor.is_complete()) break;
      return Reject{"BMP ends early"};
    }
    const unsigned count = view.u8(position);
    const unsigned value = view.u8(position + 1);
    position += 2;
    if (count > 0) {
      cursor.put(count, [&](std::size_t i) {
        return bits == 8 ? static_cast<std::uint8_t>(value) : half(value, i);
      });
    } else if (value == kEndOfRow) {
      cursor.end_row();
    } else if (value == kEndOfImage) {
      if (!cursor.has_met_all_rows()) return Reject{"BMP lacks its last rows"};
      break;
    } else if (value == kMove) {
      if (!view.holds(position, 2)) return Reject{"BMP ends early"};
      cursor.move(view.u8(position), view.u8(position + 1));
      position += 2;
    } else {  // plain pixels follow, filled up to an even number of bytes
      const std::size_t bytes = (std::size_t{value} * bits + 7) / 8;
      if (!view.holds(position, bytes)) return Reject{"BMP ends early"};
      cursor.put(value, [&](std::size_t i) {
        return bits == 8 ? view.u8(position + i) : half(view.u8(position + i / 2), i);
      });
      position += bytes + bytes % 2;
    }
    if (cursor.has_left()) return Reject{"BMP has run-length codes that leave the picture"};
  }
  return cursor.take();
}

}  // namespace headstart
