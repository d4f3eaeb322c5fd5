// data/image/pnm.cpp: headstart's own decoder, because the formats are simple.
#include "data/image/pnm.hpp"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "data/image/byte_view.hpp"
#include "data/image/channels.hpp"
#include "data/image/sample_range.hpp"

namespace headstart {
namespace {

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Decimal numbers between white space and comments.
class Tokens {
 public:
  Tokens(std::string_view text, std::size_t position) : text_(text), position_(position) {}

  [[nodiscard]] std::size_t position() const noexcept { return position_; }

  /// The next number; nothing if there is none or it exceeds 32 bits.
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
  if (maximum == 65535) return static_cast<std::uint8_t>(sample >> 8U);
  return static_cast<std::uint8_t>((sample * 255U + maximum / 2) / maximum);
}

/// Reads the samples of one image in order.
class Samples {
 public:
  Samples(std::span<const std::byte> bytes, const PnmHeader& header)
      : view_(bytes), tokens_(view_.text(0, view_.size()), header.data_offset), header_(header) {}

  /// Whether a binary image is complete, checked before its memory is allocated. A text image needs a byte a
  /// sample.
  [[nodiscard]] bool can_be_complete() const {
    const std::uint64_t width = header_.width;
    const std::uint64_t row_samples = width * (is_colour(header_.kind) ? 3 : 1);
    const std::uint64_t row_bytes = header_.kind == '4' ? (width + 7) / 8 : row_samples * bytes_per_sample();
    return view_.holds(header_.data_offset, row_bytes * header_.height);
  }

  /// The sample at `row` and `column`, 0..maximum; nothing if a text image ends there or is malformed.
  std::optional<std::uint32_t> at(std::uint64_t row, std::uint64_t column) {
    const std::uint64_t row_samples = std::uint64_t{header_.width} * (is_colour(header_.kind) ? 3 : 1);
    const std::uint64_t index = row * row_samples + column;
    switch (header_.kind) {
      case '4': {
        const std::uint64_t row_bytes = (row_samples + 7) / 8;
        const unsigned eight = view_.u8(header_.data_offset + row * row_bytes + column / 8);
        return (eight >> (7U - column % 8U) & 1U) ^ 1U;
      }
      case '5':
      case '6': {
        const std::uint64_t position = header_.data_offset + index * bytes_per_sample();
        return within(bytes_per_sample() == 1 ? view_.u8(position) : view_.u16(position));
      }
      default: {
        const std::optional<std::uint32_t> sample = tokens_.next(header_.kind == '1' ? 1 : 10);
        if (!sample) return std::nullopt;
        return header_.kind == '1' ? (*sample == 0 ? 1U : 0U) : within(*sample);
      }
    }
  }

 private:
  [[nodiscard]] std::uint64_t bytes_per_sample() const {
    return header_.maximum > 255 && header_.kind > '4' ? 2 : 1;
  }

  [[nodiscard]] std::uint32_t within(std::uint32_t sample) const { return std::min(sample, header_.maximum); }

  ByteView view_;
  Tokens tokens_;
  const PnmHeader& header_;
};

/// All samples of an image, interleaved; nothing if it ends early.
template <typename Sample>
std::optional<std::vector<Sample>> read_samples(Samples& samples, const PnmHeader& header) {
  const std::uint64_t row_samples = std::uint64_t{header.width} * (is_colour(header.kind) ? 3 : 1);
  std::vector<Sample> values(row_samples * header.height);
  Sample* out = values.data();
  for (std::uint64_t y = 0; y < header.height; ++y) {
    for (std::uint64_t x = 0; x < row_samples; ++x) {
      const std::optional<std::uint32_t> sample = samples.at(y, x);
      if (!sample) return std::nullopt;
      *out++ = static_cast<Sample>(*sample);
    }
  }
  return values;
}

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

std::variant<DecodedImage, Reject> decode_pnm(std::span<const std::byte> bytes,
                                              const std::optional<SampleRange>& range) {
  const std::optional<PnmHeader> header = read_pnm_header(bytes);
  if (!header || header->maximum == 0 || header->maximum > 65535) return Reject{"PNM has an invalid header"};
  Samples samples(bytes, *header);
  if (!samples.can_be_complete()) return Reject{"PNM ends early"};

  std::vector<std::uint8_t> usual(std::size_t{header->maximum} + 1);
  for (std::uint32_t value = 0; value < usual.size(); ++value) usual[value] = to_byte(value, header->maximum);
  NarrowedSamples narrowed;
  if (header->maximum > 255) {
    std::optional<std::vector<std::uint16_t>> wide = read_samples<std::uint16_t>(samples, *header);
    if (!wide) return Reject{"PNM ends early"};
    narrowed = narrow({.values = *std::move(wide), .channels = 1}, usual, range);
  } else {
    std::optional<std::vector<std::uint8_t>> read = read_samples<std::uint8_t>(samples, *header);
    if (!read) return Reject{"PNM ends early"};
    narrowed.bytes = *std::move(read);
    for (std::uint8_t& sample : narrowed.bytes) sample = usual[sample];
  }
  return DecodedImage{rgb_of({.height = static_cast<int>(header->height),
                              .width = static_cast<int>(header->width),
                              .count = is_colour(header->kind) ? 3U : 1U,
                              .bytes = std::move(narrowed.bytes)},
                             Alpha::kDrop),
                      std::move(narrowed.note)};
}

}  // namespace headstart
