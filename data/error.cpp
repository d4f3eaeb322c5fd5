// data/error.cpp: see error.hpp.
#include "data/error.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>

namespace headstart {
namespace {

std::uint8_t byte_at(std::string_view text, std::size_t index) {
  return static_cast<std::uint8_t>(text[index]);
}

/// Length of the well-formed UTF-8 sequence at the start of `text` (Unicode 15, table 3-7), or 0 if there is
/// none.
std::size_t utf8_sequence_length(std::string_view text) {
  const std::uint8_t lead = byte_at(text, 0);
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4) return 0;
  const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (text.size() < length) return 0;
  // The second byte excludes overlong forms (E0, F0), surrogates (ED) and what lies past U+10FFFF (F4).
  const std::uint8_t low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const std::uint8_t high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (byte_at(text, 1) < low || byte_at(text, 1) > high) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if ((byte_at(text, i) & 0xC0U) != 0x80U) return 0;
  }
  return length;
}

/// U+0000..U+001F, U+007F, and the C1 controls U+0080..U+009F, which terminals obey as well.
bool is_control(std::string_view sequence) {
  const std::uint8_t first = byte_at(sequence, 0);
  return first < 0x20 || first == 0x7F ||
         (sequence.size() == 2 && first == 0xC2 && byte_at(sequence, 1) < 0xA0);
}

}  // namespace

Error::Error(Kind kind, std::string_view what, std::string_view where, std::string_view advice)
    : std::runtime_error(printable(fmt::format("{}: {}: {}", what, where, advice))), kind_(kind) {}

int exit_code(Error::Kind kind) noexcept {
  switch (kind) {
    case Error::Kind::kUsage:
      return 2;
    case Error::Kind::kData:
      return 3;
    case Error::Kind::kFailed:
      break;
  }
  return 1;
}

std::string printable(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = utf8_sequence_length(text);
    const std::string_view sequence = text.substr(0, length == 0 ? 1 : length);
    if (length == 0 || is_control(sequence)) {
      for (std::size_t i = 0; i < sequence.size(); ++i)
        result += fmt::format("\\x{:02x}", byte_at(sequence, i));
    } else {
      result += sequence;
    }
    text.remove_prefix(sequence.size());
  }
  return result;
}

}  // namespace headstart
