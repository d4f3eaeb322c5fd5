// data/text_encoding.cpp: iconv of the C library converts. Bytes do not state their encoding, so a guess
// counts how many characters would be common in each encoding.
#include "data/text_encoding.hpp"

#include <fmt/format.h>
#include <iconv.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <span>

#include "data/error.hpp"
#include "data/utf8.hpp"

namespace headstart {
namespace {

/// For Shift JIS, the name of code page 932, which Windows means by "Shift JIS". The C library's own Shift
/// JIS has a yen sign for the backslash of paths.
std::string iconv_name(const std::string& encoding) {
  std::string name;
  for (const char c : encoding) {
    if (c != '-' && c != '_') name += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return name == "shiftjis" || name == "sjis" ? "CP932" : encoding;
}

/// A conversion to UTF-8.
class Converter {
 public:
  explicit Converter(const std::string& encoding)
      : handle_(::iconv_open("UTF-8", iconv_name(encoding).c_str())) {}
  ~Converter() {
    if (*this) ::iconv_close(handle_);
  }
  Converter(const Converter&) = delete;
  Converter& operator=(const Converter&) = delete;

  explicit operator bool() const noexcept {
    return handle_ != reinterpret_cast<iconv_t>(-1);  // NOLINT(performance-no-int-to-ptr): as iconv says it
  }

  std::optional<std::string> convert(std::string_view bytes) {
    std::string result;
    std::array<char, 4096> block{};
    char* input = const_cast<char*>(bytes.data());  // iconv only reads
    std::size_t left = bytes.size();
    // iconv holds back a letter that a mark may follow, until it is told that the text ends.
    for (bool at_end = false; !at_end;) {
      at_end = left == 0;
      char* output = block.data();
      std::size_t room = block.size();
      const std::size_t status = ::iconv(handle_, at_end ? nullptr : &input, &left, &output, &room);
      result.append(block.data(), block.size() - room);
      if (status == static_cast<std::size_t>(-1) && errno != E2BIG) return std::nullopt;
    }
    return result;
  }

 private:
  iconv_t handle_;
};

std::uint8_t byte_of(std::string_view text, std::size_t index) {
  return static_cast<std::uint8_t>(text[index]);
}

bool between(std::uint8_t value, int low, int high) { return value >= low && value <= high; }

/// The shift characters of ISO-2022: ESC and SO.
constexpr std::string_view kShifts = "\x1B\x0E";

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<std::uint8_t>(c) < 0x80; });
}

/// A way to read bytes, and a test for characters that people write most.
struct EncodingCandidate {
  const char* name;
  /// Size in bytes of the character at the start of the text, and whether it is a common one.
  std::pair<std::size_t, bool> (*next)(std::string_view text);
};

// Common: kana, and the kanji of the first level.
std::pair<std::size_t, bool> next_of_shift_jis(std::string_view text) {
  const std::uint8_t lead = byte_of(text, 0);
  if (!(between(lead, 0x81, 0x9F) || between(lead, 0xE0, 0xFC)) || text.size() < 2) return {1, false};
  const std::uint8_t trail = byte_of(text, 1);
  const bool kana = (lead == 0x82 && trail >= 0x9F) || (lead == 0x83 && trail <= 0x96);
  return {2, kana || between(lead, 0x88, 0x97) || (lead == 0x81 && trail == 0x5B)};
}

// Common: hanzi of the first level, in the part that GB2312 has.
std::pair<std::size_t, bool> next_of_gbk(std::string_view text) {
  if (text.size() < 2) return {1, false};
  return {2, between(byte_of(text, 0), 0xB0, 0xD7) && byte_of(text, 1) >= 0xA1};
}

// Common: Hangul syllables.
std::pair<std::size_t, bool> next_of_euc_kr(std::string_view text) {
  if (text.size() < 2) return {1, false};
  return {2, between(byte_of(text, 0), 0xB0, 0xC8) && byte_of(text, 1) >= 0xA1};
}

// Common: hanzi of the first level.
std::pair<std::size_t, bool> next_of_big5(std::string_view text) {
  if (text.size() < 2) return {1, false};
  return {2, between(byte_of(text, 0), 0xA4, 0xC6)};
}

// Common: Cyrillic letters, which stand next to each other.
std::pair<std::size_t, bool> next_of_windows_1251(std::string_view text) {
  return {1, text.size() > 1 && byte_of(text, 0) >= 0xC0 && byte_of(text, 1) >= 0xA8};
}

// Common: letters that stand alone among ASCII letters, as in western text.
std::pair<std::size_t, bool> next_of_latin1(std::string_view text) {
  const bool alone = text.size() < 2 || byte_of(text, 1) < 0x80;
  return {1, alone && byte_of(text, 0) >= 0xC0};
}

// Common: letters of western Europe as in DOS, found in old .zip files.
std::pair<std::size_t, bool> next_of_cp437(std::string_view text) {
  const bool alone = text.size() < 2 || byte_of(text, 1) < 0x80;
  return {1, alone && byte_of(text, 0) <= 0xA5};
}

/// Sorted for ties: an encoding that fits less often by chance comes first.
constexpr std::array<EncodingCandidate, 7> kEncodingCandidates{{{"shift-jis", next_of_shift_jis},
                                                                {"latin1", next_of_latin1},
                                                                {"gbk", next_of_gbk},
                                                                {"euc-kr", next_of_euc_kr},
                                                                {"big5", next_of_big5},
                                                                {"windows-1251", next_of_windows_1251},
                                                                {"cp437", next_of_cp437}}};

/// The share of the characters beyond ASCII that are common in `candidate`.
double commonness(const EncodingCandidate& candidate, std::string_view bytes) {
  std::size_t common = 0;
  std::size_t all = 0;
  while (!bytes.empty()) {
    std::size_t length = 1;
    if (byte_of(bytes, 0) >= 0x80) {
      const auto [next, is_common] = candidate.next(bytes);
      length = next;
      common += is_common ? 1 : 0;
      ++all;
    }
    bytes.remove_prefix(length);
  }
  return all == 0 ? 0.0 : static_cast<double>(common) / static_cast<double>(all);
}

}  // namespace

bool knows_encoding(const std::string& encoding) { return static_cast<bool>(Converter(encoding)); }

std::optional<std::string> to_utf8(std::string_view bytes, const std::string& encoding) {
  Converter converter(encoding);
  if (!converter) return std::nullopt;
  std::optional<std::string> text = converter.convert(bytes);
  // Some of the C library's tables have holes, which it fills with control characters.
  return text && is_utf8(*text) ? text : std::nullopt;
}

bool is_encoded(std::string_view text, const std::string& encoding) {
  if (!is_utf8(text)) return true;
  if (encoding.empty() || text.find_first_of(kShifts) == std::string_view::npos || !is_ascii(text))
    return false;
  const std::optional<std::string> decoded = to_utf8(text, encoding);
  return decoded && *decoded != text;
}

std::optional<std::string> name_to_utf8(std::string_view name, const std::string& encoding) {
  if (is_ascii(name) && !is_encoded(name, encoding)) return std::string(name);
  return to_utf8(name, encoding);
}

std::optional<std::string> without_byte_order_mark(std::string_view text) {
  using namespace std::string_view_literals;
  static constexpr std::array<std::pair<std::string_view, const char*>, 5> kMarks{
      {{"\xEF\xBB\xBF"sv, ""},
       {"\xFF\xFE\0\0"sv, "UTF-32LE"},
       {"\0\0\xFE\xFF"sv, "UTF-32BE"},
       {"\xFF\xFE"sv, "UTF-16LE"},
       {"\xFE\xFF"sv, "UTF-16BE"}}};
  for (const auto& [mark, encoding] : kMarks) {
    if (!text.starts_with(mark)) continue;
    text.remove_prefix(mark.size());
    if (*encoding == '\0') break;
    return to_utf8(text, encoding);
  }
  return std::string(text);
}

std::string likely_utf16(std::string_view text) {
  const std::size_t first = text.find('\0');
  if (first == std::string_view::npos) return "";
  std::size_t run = 0;
  std::size_t longest = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_zero = text[i] == '\0';
    if (i % 2 == first % 2) {
      run = is_zero ? run + 1 : 0;
      longest = std::max(longest, run);
    } else if (is_zero) {
      return "";
    }
  }
  if (longest < 4) return "";
  return first % 2 == 0 ? "utf-16be" : "utf-16le";
}

std::vector<EncodingGuess> likely_encodings(std::string_view bytes) {
  std::vector<std::pair<double, EncodingGuess>> guesses;
  for (const EncodingCandidate& candidate : kEncodingCandidates) {
    std::optional<std::string> text = to_utf8(bytes, candidate.name);
    if (text && printable(*text) == *text)
      guesses.push_back({commonness(candidate, bytes), {candidate.name, std::move(*text)}});
  }
  std::stable_sort(guesses.begin(), guesses.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<EncodingGuess> likely;
  for (const auto& [share, guess] : guesses) {
    if (likely.size() < 2 && (likely.empty() || share > 0.5)) likely.push_back(guess);
  }
  return likely;
}

std::string encoding_advice(std::string_view bytes) {
  const std::vector<EncodingGuess> likely = likely_encodings(bytes);
  if (likely.empty()) return "name its encoding with --encoding, or rename it";
  std::string looks = fmt::format("it looks like {} ({})", likely[0].encoding, likely[0].text);
  if (likely.size() > 1) looks += fmt::format(" or {} ({})", likely[1].encoding, likely[1].text);
  return fmt::format("{}: pass --encoding {}, or rename it", looks, likely[0].encoding);
}

}  // namespace headstart
