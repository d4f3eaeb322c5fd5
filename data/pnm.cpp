// data/pnm.cpp: our own decoder, because OpenCV 4.6 leaves binary samples below a white of 255 unscaled.
#include "data/pnm.hpp"

#include <algorithm>
#include <limits>

#include "data/byte_view.hpp"

namespace headstart {
namespace {

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Decimal numbers between white space and comments.
class Tokens {
 public:
  Tokens(std::string_view text, std::size_t position) : text_(text), position_(position) {}

  [[nodiscard]] std::size_t position() const noexcept { return position_; }

  /// The next number, or nothing if there is none or it leaves 32 bits.
  /// @param max_digits  1 for P1, whose digits need no space between
  std::optional<std::uint32_t> next(std::size_t max_digits = 10) {
    skip_space();
    std::uint64_t value = 0;
    std::size_t digits = 0;
    while (digits < max_digits && position_ < text_.size() && is_digit(text_[position_])) {
      value = value * 10 + static_cast<std::uint64_t>(text_[position_++] - '0');
      ++digits;
    }
    if (digits == 0 || value > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
    return static_cast<std::uint32_t>(value);
  }

 private:
  void skip_space() {
    while (position_ < text_.size() && (is_space(text_[position_]) || text_[position_] == '#')) {
      if (text_[position_] == '#') {
        position_ = std::min(text_.find('\n', position_), text_.size());
      } else {
        ++position_;
      }
    }
  }

  std::string_view text_;
  std::size_t position_;
};

bool is_bitmap(char kind) { return kind == '1' || kind == '4'; }
bool is_colour(char kind) { return kind == '3' || kind == '6'; }

std::uint8_t to_byte(std::uint32_t sample, std::uint32_t maximum) {
  const std::uint32_t value = std::min(sample, maximum);
  if (maximum == 65535) return static_cast<std::uint8_t>(value >> 8U);
  return static_cast<std::uint8_t>((value * 255U + maximum / 2) / maximum);
}

/// Reads the samples of one image in order.
class Samples {
 public:
  Samples(std::span<const std::byte> bytes, const PnmHeader& header)
      : view_(bytes), tokens_(view_.text(0, view_.size()), header.data_offset), header_(header) {}

  /// Whether a binary image is all there, before memory is spent on it; a text image needs a byte a sample.
  [[nodiscard]] bool can_be_complete() const {
    const std::uint64_t width = header_.width;
    const std::uint64_t row_samples = width * (is_colour(header_.kind) ? 3 : 1);
    const std::uint64_t row_bytes = header_.kind == '4' ? (width + 7) / 8 : row_samples * bytes_per_sample();
    return view_.holds(header_.data_offset, row_bytes * header_.height);
  }

  /// The sample at `row` and `column`, 0..255; nothing where a text image ends or is malformed.
  std::optional<std::uint8_t> at(std::uint64_t row, std::uint64_t column) {
    const std::uint64_t row_samples = std::uint64_t{header_.width} * (is_colour(header_.kind) ? 3 : 1);
    const std::uint64_t index = row * row_samples + column;
    switch (header_.kind) {
      case '4': {
        const std::uint64_t row_bytes = (row_samples + 7) / 8;
        const unsigned eight = view_.u8(header_.data_offset + row * row_bytes + column / 8);
        return (eight >> (7U - column % 8U) & 1U) != 0 ? std::uint8_t{0} : std::uint8_t{255};
      }
      case '5':
      case '6': {
        const std::uint64_t position = header_.data_offset + index * bytes_per_sample();
        return to_byte(bytes_per_sample() == 1 ? view_.u8(position) : view_.u16(position), header_.maximum);
      }
      default: {
        const std::optional<std::uint32_t> sample = tokens_.next(header_.kind == '1' ? 1 : 10);
        if (!sample) return std::nullopt;
        if (header_.kind == '1') return *sample == 0 ? std::uint8_t{255} : std::uint8_t{0};
        return to_byte(*sample, header_.maximum);
      }
    }
  }

 private:
  [[nodiscard]] std::uint64_t bytes_per_sample() const {
    return header_.maximum > 255 && header_.kind > '4' ? 2 : 1;
  }

  ByteView view_;
  Tokens tokens_;
  const PnmHeader& header_;
};

}  // namespace

std::optional<PnmHeader> read_pnm_header(std::span<const std::byte> bytes) {
  const ByteView view(bytes);
  const std::string_view text = view.text(0, view.size());
  if (text.size() < 3 || text[0] != 'P' || text[1] < '1' || text[1] > '6') return std::nullopt;
  if (!is_space(text[2]) && text[2] != '#') return std::nullopt;
  Tokens tokens(text, 2);
  PnmHeader header{.kind = text[1]};
  header.width = tokens.next().value_or(0);
  header.height = tokens.next().value_or(0);
  if (!is_bitmap(header.kind)) header.maximum = tokens.next().value_or(0);
  header.data_offset = tokens.position() + 1;  // exactly one white space
  return header;
}

std::variant<RgbImage, Reject> decode_pnm(std::span<const std::byte> bytes) {
  const std::optional<PnmHeader> header = read_pnm_header(bytes);
  if (!header || header->maximum == 0 || header->maximum > 65535) return Reject{"PNM has an invalid header"};
  Samples samples(bytes, *header);
  if (!samples.can_be_complete()) return Reject{"PNM ends early"};

  const bool colour = is_colour(header->kind);
  RgbImage image{static_cast<int>(header->height), static_cast<int>(header->width), {}};
  image.pixels.resize(std::size_t{header->width} * header->height * 3);
  std::uint8_t* out = image.pixels.data();
  for (std::uint64_t y = 0; y < header->height; ++y) {
    for (std::uint64_t x = 0; x < header->width; ++x) {
      for (std::uint64_t channel = 0; channel < 3; ++channel, ++out) {
        if (!colour && channel > 0) {
          *out = *(out - 1);
          continue;
        }
        const std::optional<std::uint8_t> sample = samples.at(y, colour ? 3 * x + channel : x);
        if (!sample) return Reject{"PNM ends early"};
        *out = *sample;
      }
    }
  }
  return image;
}

}  // namespace headstart
