// pipeline/rows/npy_header.cpp: the header is a dictionary in Python's notation, with three keys.
#include "pipeline/rows/npy_header.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <system_error>
#include <vector>

namespace headstart {
namespace {

constexpr std::string_view kNpyMagic = "\x93NUMPY";
constexpr std::size_t kNpyAlignment = 64;

/// Reads Python's notation from the front of a text. Each function takes what it is named after, or nothing.
class PythonText {
 public:
  explicit PythonText(std::string_view text) : text_(text) {}

  [[nodiscard]] bool at_end() {
    skip_blanks();
    return text_.empty();
  }
  bool take(std::string_view token) {
    skip_blanks();
    if (!text_.starts_with(token)) return false;
    text_.remove_prefix(token.size());
    return true;
  }
  /// A string without escapes.
  std::optional<std::string_view> string() {
    skip_blanks();
    if (!text_.starts_with('\'') && !text_.starts_with('"')) return std::nullopt;
    const std::size_t end = text_.find(text_.front(), 1);
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view content = text_.substr(1, end - 1);
    text_.remove_prefix(end + 1);
    return content;
  }
  std::optional<bool> boolean() {
    if (take("True")) return true;
    if (take("False")) return false;
    return std::nullopt;
  }
  /// A tuple of whole numbers that are not negative.
  std::optional<std::vector<std::uint64_t>> tuple() {
    if (!take("(")) return std::nullopt;
    std::vector<std::uint64_t> numbers;
    while (!take(")")) {
      if (!numbers.empty() && !take(",")) return std::nullopt;
      if (!numbers.empty() && take(")")) break;
      skip_blanks();
      std::uint64_t number = 0;
      const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), number);
      if (error != std::errc()) return std::nullopt;
      text_.remove_prefix(static_cast<std::size_t>(end - text_.data()));
      numbers.push_back(number);
    }
    return numbers;
  }

 private:
  void skip_blanks() { text_.remove_prefix(std::min(text_.find_first_not_of(" \t\n\r"), text_.size())); }

  std::string_view text_;
};

/// The values of the dictionary. A key whose value is of another kind has none.
struct NpyDictionary {
  std::optional<std::string_view> descr;
  std::optional<bool> fortran_order;
  std::optional<std::vector<std::uint64_t>> shape;
};

/// The dictionary up to the first value of another kind; nothing if `header` is no dictionary of these keys.
std::optional<NpyDictionary> dictionary_from(std::string_view header) {
  PythonText text(header);
  NpyDictionary result;
  if (!text.take("{")) return std::nullopt;
  while (!text.take("}")) {
    const std::optional<std::string_view> key = text.string();
    if (!key || !text.take(":")) return std::nullopt;
    if (*key == "descr")
      result.descr = text.string();
    else if (*key == "fortran_order")
      result.fortran_order = text.boolean();
    else if (*key == "shape")
      result.shape = text.tuple();
    else
      return std::nullopt;
    if (text.take(",")) continue;
    if (!text.take("}")) return result;
    break;
  }
  return text.at_end() ? std::optional(result) : std::nullopt;
}

std::optional<NpyType> type_from(std::string_view descr) {
  if (descr == "<f2") return NpyType::kFloat16;
  if (descr == "<f4") return NpyType::kFloat32;
  if (descr == "<f8") return NpyType::kFloat64;
  return std::nullopt;
}

/// The header of that dictionary, whose values are to fill `bytes`; or why there is none.
std::variant<NpyHeader, Reject> header_from(const NpyDictionary& dictionary, std::uint64_t bytes) {
  const auto& [descr, fortran_order, shape] = dictionary;
  if (!descr) return Reject{"descr is not one type of numbers, needed float32, float16 or float64"};
  const std::optional<NpyType> type = type_from(*descr);
  if (!type) {
    return Reject{
        fmt::format("descr is '{}', needed '<f4', '<f2' or '<f8': use .astype('<f4')", printable(*descr))};
  }
  if (!fortran_order) return Reject{"fortran_order is missing or no truth value"};
  if (*fortran_order)
    return Reject{"its columns follow each other, not its rows: use numpy.ascontiguousarray"};
  if (!shape) return Reject{"shape is missing or no tuple of whole numbers"};
  if (shape->size() != 2) return Reject{fmt::format("is of {} dimensions, needed 2", shape->size())};
  const NpyHeader header{.type = *type, .rows = shape->front(), .columns = shape->back()};
  const std::uint64_t most = std::numeric_limits<std::uint64_t>::max() / bytes_of(header.type);
  const bool fits = header.columns == 0 || header.rows <= most / header.columns;
  if (!fits || header.rows * header.columns * bytes_of(header.type) != bytes) {
    return Reject{fmt::format("claims {} x {} values of {} bytes, {} bytes of values follow", header.rows,
                              header.columns, bytes_of(header.type), bytes)};
  }
  return header;
}

}  // namespace

std::variant<NpyHeader, Reject> parse_npy_header(std::string_view start, std::uint64_t file_bytes) {
  constexpr std::size_t kFixed = 8;  // magic and version
  if (!start.starts_with(kNpyMagic) || start.size() < kFixed + 2) return Reject{"is no .npy file"};
  const auto byte_at = [&](std::size_t at) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(start[at]));
  };
  const std::uint32_t major = byte_at(6);
  const std::uint32_t minor = byte_at(7);
  if (major < 1 || major > 2 || minor != 0)
    return Reject{fmt::format("is of .npy format {}.{}, where 1.0 and 2.0 are read", major, minor)};
  const std::size_t length_bytes = major == 1 ? 2 : 4;
  const std::size_t before = kFixed + length_bytes;
  if (start.size() < before) return Reject{"ends within its header"};
  std::uint64_t length = 0;
  for (std::size_t i = length_bytes; i-- > 0;) length = length << 8U | byte_at(kFixed + i);
  if (length > kMaxNpyHeaderBytes - before)
    return Reject{
        fmt::format("has a header of {} bytes, at most {} are read", length, kMaxNpyHeaderBytes - before)};
  if (before + length > std::min<std::uint64_t>(start.size(), file_bytes))
    return Reject{"ends within its header"};
  const std::uint64_t offset = before + length;
  const std::optional<NpyDictionary> dictionary = dictionary_from(start.substr(before, length));
  if (!dictionary) return Reject{"its header is no dictionary of descr, fortran_order and shape"};
  std::variant<NpyHeader, Reject> header = header_from(*dictionary, file_bytes - offset);
  if (auto* const found = std::get_if<NpyHeader>(&header)) found->offset = offset;
  return header;
}

std::string npy_header(FeatureType type, std::uint64_t rows, std::uint64_t columns) {
  std::string dictionary = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}, {}), }}",
                                       type == FeatureType::kFloat16 ? "<f2" : "<f4", rows, columns);
  constexpr std::size_t kBefore = 10;  // magic, version 1.0 and the length in two bytes
  const std::size_t used = kBefore + dictionary.size() + 1;
  dictionary.append((kNpyAlignment - used % kNpyAlignment) % kNpyAlignment, ' ');
  dictionary += '\n';
  std::string header(kNpyMagic);
  header += '\x01';
  header += '\0';
  header += static_cast<char>(dictionary.size() & 0xFFU);
  header += static_cast<char>(dictionary.size() >> 8U);
  return header + dictionary;
}

}  // namespace headstart
