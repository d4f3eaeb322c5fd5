// data/archive/webdataset_label.cpp: see webdataset_label.hpp.
#include "data/archive/webdataset_label.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <vector>

#include "data/error.hpp"

namespace headstart {
namespace {

using Json = nlohmann::json;

constexpr std::uint64_t kMaxLabelBytes = std::uint64_t{1} << 20;  // of a .cls or .json
constexpr std::size_t kMaxNameBytes = 255;                        // of a class, as of a folder

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// A class's name from text. Nothing if it does not fit on one line, or is longer than a folder's name may
/// be.
std::optional<std::string> as_name(std::string_view text) {
  text = trimmed(text);
  const bool is_line = std::none_of(text.begin(), text.end(), [](char c) { return c >= 0 && c < ' '; });
  if (text.empty() || text.size() > kMaxNameBytes || !is_line) return std::nullopt;
  if (const auto number = whole_number(text)) return fmt::format("{}", *number);
  return std::string(text);
}

std::optional<std::string> name_in(const Json& value) {
  if (value.is_string()) return as_name(value.get_ref<const std::string&>());
  if (value.is_number_integer()) return as_name(value.dump());
  return std::nullopt;
}

void read_json(std::string_view text, WebdatasetLabel& label) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) {
    label.problem = "its .json is no JSON object";
    return;
  }
  for (const char* key : {"label_name", "class"}) {
    if (label.name || !json.contains(key) || !json[key].is_string()) continue;
    label.name = name_in(json[key]);
  }
  for (const char* key : {"label", "cls", "class"}) {
    if (!label.number && json.contains(key)) label.number = name_in(json[key]);
  }
  if (!label.name && !label.number)
    label.problem = "its .json has no \"label\" or \"cls\" that is a whole number or a line of text";
}

}  // namespace

WebdatasetName split_name(std::string_view name) {
  const std::size_t slash = name.rfind('/');
  const std::size_t dot = name.find('.', slash == std::string_view::npos ? 0 : slash + 1);
  if (dot == std::string_view::npos) return {name, {}};
  return {name.substr(0, dot), name.substr(dot + 1)};
}

std::optional<std::string> WebdatasetLabel::class_name() const {
  if (name) return name;
  return plain ? plain : number;
}

bool is_whole_number(std::string_view text) { return whole_number(text).has_value(); }

void read_label(const std::string& name, ArchiveReader& reader,
                std::unordered_map<std::string, WebdatasetLabel>& labels) {
  const auto [key, field] = split_name(name);
  if (field != "cls" && field != "json") return;
  WebdatasetLabel& label = labels[std::string(key)];
  const auto content = reader.read(kMaxLabelBytes);
  if (const auto* reject = std::get_if<Reject>(&content)) {
    label.problem = fmt::format("its .{} {}", field, reject->reason);
    return;
  }
  const auto& bytes = std::get<std::vector<std::byte>>(content);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (field == "json") return read_json(text, label);
  label.plain = as_name(text);
  if (!label.plain) label.problem = "its .cls is no whole number and no line of text";
}

}  // namespace headstart
