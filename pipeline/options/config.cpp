// pipeline/options/config.cpp: toml++ reads files and quotes text. Our code writes the lines, because toml++
// keeps no comments.
#include "pipeline/options/config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <iterator>
#include <sstream>
#include <utility>

#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>

#include "data/error.hpp"
#include "data/utf8.hpp"
#include "pipeline/options/config_depth.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxConfigBytes = std::size_t{1} << 24U;
constexpr const char* kBytes = "bytes";
constexpr const char* kFormat = "format";

[[noreturn]] void refuse_config(const fs::path& file, std::size_t line, std::string_view what,
                                std::string_view advice) {
  throw Error(Error::Kind::kUsage, fmt::format("cannot read the configuration: {}", what),
              fmt::format("{}, line {}", file.string(), line), advice);
}

// ---- bytes that are not UTF-8

std::string escape_bytes(std::string_view bytes) {
  std::string text;
  while (!bytes.empty()) {
    const std::size_t length = utf8_sequence_length(bytes);
    if (length == 0) {
      text += fmt::format("\\x{:02x}", static_cast<unsigned char>(bytes.front()));
    } else {
      text += bytes.front() == '\\' ? "\\\\" : bytes.substr(0, length);
    }
    bytes.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return text;
}

std::optional<std::string> bytes_of_escaped(std::string_view text) {
  std::string bytes;
  while (!text.empty()) {
    if (text.front() != '\\') {
      bytes += text.front();
      text.remove_prefix(1);
    } else if (text.starts_with("\\\\")) {
      bytes += '\\';
      text.remove_prefix(2);
    } else {
      unsigned value = 0;
      if (!text.starts_with("\\x") || text.size() < 4) return std::nullopt;
      const auto [end, error] = std::from_chars(text.data() + 2, text.data() + 4, value, 16);
      if (error != std::errc{} || end != text.data() + 4) return std::nullopt;
      bytes += static_cast<char>(value);
      text.remove_prefix(4);
    }
  }
  return bytes;
}

// ---- values into TOML

/// Quoted by toml++, always as "...", because only this form can hold every character.
std::string quoted(const std::string& text) {
  std::ostringstream stream;
  const toml::value<std::string> node(text);
  stream << toml::toml_formatter(node, toml::format_flags::allow_unicode_strings);
  return stream.str();
}

/// The shortest decimal text of `number`, never an integer: 0.1 where toml++ writes 0.10000000000000001.
std::string decimal(double number) {
  std::string text = fmt::format("{}", number);
  return text.find_first_not_of("-0123456789") == std::string::npos ? text + ".0" : text;
}

std::string toml_of_scalar(const ConfigScalar& scalar) {
  const auto* text = std::get_if<std::string>(&scalar);
  if (text != nullptr && !is_utf8(*text))
    return fmt::format("{{ {} = {} }}", kBytes, quoted(escape_bytes(*text)));
  if (text != nullptr) return quoted(*text);
  const auto* number = std::get_if<double>(&scalar);
  return number != nullptr ? decimal(*number) : word_of(scalar);
}

// ---- TOML into values

std::optional<ConfigScalar> scalar_of(const toml::node& node) {
  if (const auto* value = node.as_boolean()) return value->get();
  if (const auto* value = node.as_integer()) return value->get();
  if (const auto* value = node.as_floating_point()) return value->get();
  if (const auto* value = node.as_string()) return value->get();
  const toml::table* table = node.as_table();
  const auto* bytes = table != nullptr && table->size() == 1 ? table->get_as<std::string>(kBytes) : nullptr;
  if (bytes != nullptr) {
    if (std::optional<std::string> text = bytes_of_escaped(bytes->get())) return std::move(*text);
  }
  return std::nullopt;
}

std::optional<ConfigValue> value_in(const toml::node& node) {
  if (const toml::array* array = node.as_array()) {
    std::vector<ConfigScalar> list;
    for (const toml::node& item : *array) {
      std::optional<ConfigScalar> scalar = scalar_of(item);
      if (!scalar) return std::nullopt;
      list.push_back(std::move(*scalar));
    }
    return list;
  }
  std::optional<ConfigScalar> scalar = scalar_of(node);
  if (!scalar) return std::nullopt;
  return std::visit([](auto& value) -> ConfigValue { return std::move(value); }, *scalar);
}

std::string description_of(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::boolean:
      return "true or false";
    case toml::node_type::integer:
    case toml::node_type::floating_point:
      return "a number";
    case toml::node_type::string:
      return "a string";
    case toml::node_type::array: {
      const toml::array& array = *node.as_array();
      if (array.empty()) return "an empty list";
      const auto odd =
          std::find_if(array.begin(), array.end(), [](const toml::node& item) { return !scalar_of(item); });
      return odd == array.end() ? "a list" : "a list that holds " + description_of(*odd);
    }
    case toml::node_type::table:
      return "a table";
    default:
      return "a date or time";
  }
}

void collect_keys(const toml::table& table, const std::vector<std::string>& section,
                  std::vector<ConfigKey>& keys) {
  for (const auto& [key, node] : table) {
    const std::string name(key.str());
    if (const toml::table* inner = node.as_table(); inner != nullptr && !inner->is_inline()) {
      std::vector<std::string> deeper = section;
      deeper.push_back(name);
      collect_keys(*inner, deeper, keys);
    } else {
      keys.push_back({section, name, value_in(node), description_of(node), key.source().begin.line});
    }
  }
}

// ---- files of headstart 0.1.0

/// A value that 0.1.0 wrote and that is not TOML: `.5`, `512,128`, `[.5, 1]`, 'it's "one"'.
std::optional<ConfigValue> value_of_0_1_0(std::string_view text) {
  const auto quoted_by = [&](char quote) {
    return text.size() >= 2 && text.front() == quote && text.back() == quote;
  };
  if (quoted_by('"') || quoted_by('\'')) return std::string(text.substr(1, text.size() - 2));
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  std::vector<ConfigScalar> numbers;
  while (!text.empty()) {
    std::string_view word = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    while (word.starts_with(' ')) word.remove_prefix(1);
    if (word.starts_with('+')) word.remove_prefix(1);
    std::int64_t whole = 0;
    double number = 0.0;
    const char* const last = word.data() + word.size();
    if (word.empty()) return std::nullopt;
    if (std::from_chars(word.data(), last, whole).ptr == last) {
      numbers.emplace_back(whole);
    } else if (std::from_chars(word.data(), last, number).ptr == last) {
      numbers.emplace_back(number);
    } else {
      return std::nullopt;
    }
  }
  if (numbers.empty()) return std::nullopt;
  if (numbers.size() > 1) return numbers;
  return std::visit([](auto& value) -> ConfigValue { return std::move(value); }, numbers.front());
}

bool is_toml(const std::string& text) {
  try {
    static_cast<void>(toml::parse(text));
    return true;
  } catch (const toml::parse_error&) {
    return false;
  }
}

/// `text`, with its lines key=value of 0.1.0 that are not TOML turned into TOML. Lines keep their numbers.
std::string repaired_lines(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    std::string line(text.substr(0, text.find('\n')));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const std::size_t equals = line.find('=');
    const std::size_t name = line.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-");
    if (equals != std::string::npos && equals > 0 && equals == name && !is_toml(line)) {
      if (const auto value = value_of_0_1_0(std::string_view(line).substr(equals + 1)))
        line = line.substr(0, equals + 1) + toml_of(*value);
    }
    result += line + '\n';
  }
  return result;
}

/// Removes the key that says the format, and gives its value.
ConfigFormat take_format(std::vector<ConfigKey>& keys, const fs::path& file) {
  const auto key = std::find_if(keys.begin(), keys.end(), [](const ConfigKey& candidate) {
    return candidate.section.empty() && candidate.name == kFormat;
  });
  if (key == keys.end()) return ConfigFormat::k0_1_0;
  for (const ConfigFormat format : {ConfigFormat::k0_1_0, ConfigFormat::kNow}) {
    if (key->value == ConfigValue(static_cast<std::int64_t>(format))) {
      keys.erase(key);
      return format;
    }
  }
  refuse_config(file, key->line, fmt::format("{} is neither 1 nor 2", kFormat),
                "a later headstart wrote it: use that one");
}

}  // namespace

std::string word_of(const ConfigScalar& scalar) {
  if (const auto* text = std::get_if<std::string>(&scalar)) return *text;
  if (const auto* number = std::get_if<double>(&scalar)) return fmt::format("{}", *number);
  if (const auto* number = std::get_if<std::int64_t>(&scalar)) return fmt::format("{}", *number);
  return std::get<bool>(scalar) ? "true" : "false";
}

std::string toml_of(const ConfigValue& value) {
  return std::visit(
      [](const auto& held) {
        if constexpr (std::is_same_v<std::decay_t<decltype(held)>, std::vector<ConfigScalar>>) {
          std::string items;
          for (const ConfigScalar& scalar : held)
            items += (items.empty() ? "" : ", ") + toml_of_scalar(scalar);
          return "[" + items + "]";
        } else {
          return toml_of_scalar(held);
        }
      },
      value);
}

std::string config_text(std::string_view comment, std::span<const ConfigSection> sections) {
  std::string text;
  while (!comment.empty()) {
    const std::string_view line = comment.substr(0, comment.find('\n'));
    text += fmt::format("# {}\n", line);
    comment.remove_prefix(std::min(comment.size(), line.size() + 1));
  }
  text += fmt::format("{} = {}\n", kFormat, static_cast<std::int64_t>(ConfigFormat::kNow));
  for (const ConfigSection& section : sections) {
    text += fmt::format("\n[{}]\n", section.name);
    for (const ConfigSection::Entry& entry : section.entries) {
      if (!entry.comment.empty()) text += fmt::format("\n# {}\n", entry.comment);
      text += fmt::format("{} = {}\n", entry.key, toml_of(entry.value));
    }
  }
  return text;
}

ConfigFile parse_config(std::string_view text, const fs::path& file) {
  if (const auto line = line_of_too_deep_key(text)) {
    refuse_config(file, *line, fmt::format("a key has more than {} parts", kMostKeyParts),
                  "write it as headstart does: below the name of a command");
  }
  toml::table table;
  try {
    table = toml::parse(text);
  } catch (const toml::parse_error& error) {
    try {
      table = toml::parse(repaired_lines(text));
    } catch (const toml::parse_error&) {
      refuse_config(file, error.source().begin.line, error.description(), "write it as TOML has it");
    }
  }
  ConfigFile result;
  collect_keys(table, {}, result.keys);
  std::stable_sort(result.keys.begin(), result.keys.end(),
                   [](const ConfigKey& a, const ConfigKey& b) { return a.line < b.line; });
  result.format = take_format(result.keys, file);
  return result;
}

ConfigFile read_config(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::string text;
  std::array<char, 1U << 16U> block{};
  while (stream && text.size() <= kMaxConfigBytes) {
    stream.read(block.data(), block.size());
    text.append(block.data(), static_cast<std::size_t>(stream.gcount()));
  }
  if (!stream.eof() || text.size() > kMaxConfigBytes) {
    throw Error(Error::Kind::kUsage, "cannot read the configuration", file.string(),
                "pass a readable .toml file, such as OUT/config.toml of a run");
  }
  return parse_config(text, file);
}

}  // namespace headstart
