// data/error.cpp: see error.hpp.
#include "data/error.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>

#include "data/utf8.hpp"

namespace headstart {
namespace {

std::uint8_t byte_at(std::string_view text, std::size_t index) {
  return static_cast<std::uint8_t>(text[index]);
}

/// U+0000..U+001F, U+007F, and the C1 controls U+0080..U+009F, because terminals obey these as well.
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
