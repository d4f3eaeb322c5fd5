// pipeline/options/config_depth.cpp
#include "pipeline/options/config_depth.hpp"

#include <algorithm>
#include <string>

namespace headstart {
namespace {

constexpr std::string_view kInKeys = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_ \t";

/// The length of the string at the start of `text`, including its quotes.
std::size_t string_length(std::string_view text) {
  const char quote = text.front();
  const bool many_lines = text.starts_with(std::string(3, quote));
  const std::string closing(many_lines ? 3 : 1, quote);
  std::size_t at = closing.size();
  while (at < text.size() && !text.substr(at).starts_with(closing) && (many_lines || text[at] != '\n'))
    at += quote == '"' && text[at] == '\\' ? std::size_t{2} : std::size_t{1};
  return std::min(text.size(), at + closing.size());
}

}  // namespace

std::optional<std::size_t> line_of_too_deep_key(std::string_view toml) {
  std::size_t line = 1;
  std::size_t parts = 1;
  while (!toml.empty()) {
    const char first = toml.front();
    std::size_t length = 1;
    if (first == '#') {
      length = std::min(toml.size(), toml.find('\n'));
    } else if (first == '"' || first == '\'') {
      length = string_length(toml);
    } else if (first == '.') {
      if (++parts > kMostKeyParts) return line;
    } else if (kInKeys.find(first) == std::string_view::npos) {
      parts = 1;
    }
    const std::string_view passed = toml.substr(0, length);
    line += static_cast<std::size_t>(std::count(passed.begin(), passed.end(), '\n'));
    toml.remove_prefix(length);
  }
  return std::nullopt;
}

}  // namespace headstart
