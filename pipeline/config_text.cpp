// pipeline/config_text.cpp
#include "pipeline/config_text.hpp"

#include <algorithm>
#include <cstddef>
#include <sstream>

namespace headstart {
namespace {

bool is_comment_or_blank(const std::string& line) { return line.empty() || line.front() == '#'; }

bool sets(const std::string& line, const std::string& key) { return line.rfind(key + "=", 0) == 0; }

}  // namespace

ConfigText::ConfigText(const std::string& text, const std::string& section) {
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    if (!line.empty() && line.front() == '[') line = "[" + section + "]";
    lines_.push_back(line);
  }
}

void ConfigText::set(const std::string& key, const std::string& value) {
  const auto line = std::find_if(lines_.begin(), lines_.end(),
                                 [&](const std::string& candidate) { return sets(candidate, key); });
  if (line != lines_.end()) {
    *line = key + "=" + value;
  } else {
    lines_.push_back(key + "=" + value);
  }
}

void ConfigText::erase(const std::string& key) {
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    if (!sets(lines_[i], key)) continue;
    std::size_t first = i;
    while (first > 0 && is_comment_or_blank(lines_[first - 1])) --first;
    lines_.erase(lines_.begin() + static_cast<std::ptrdiff_t>(first),
                 lines_.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    return;
  }
}

std::string ConfigText::text() const {
  std::string text;
  for (const std::string& line : lines_) text += line + "\n";
  return text;
}

}  // namespace headstart
