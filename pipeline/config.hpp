// pipeline/config.hpp: a config.toml as values: what a run resolved, written so that it can be read back.
// Surprise: TOML has no way to say bytes that are not UTF-8, and a Linux path may have any. Such text is
// written as a table, { bytes = 'caf\xe9' }, in which \xNN is a byte and \\ a backslash.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace headstart {

using ConfigScalar = std::variant<bool, std::int64_t, double, std::string>;

/// A scalar or a list of them.
using ConfigValue = std::variant<bool, std::int64_t, double, std::string, std::vector<ConfigScalar>>;

/// As an option takes it: "true", "0.001", the text itself. A number keeps its bits.
[[nodiscard]] std::string word_of(const ConfigScalar& scalar);

/// `value` in TOML, on one line.
[[nodiscard]] std::string toml_of(const ConfigValue& value);

/// One section of a config.toml, as a run writes it.
struct Config {
  struct Entry {
    std::string key;
    ConfigValue value;
    std::string comment;  ///< above it, one line; empty: none
  };

  std::string section;
  std::string comment;  ///< above the section; empty: none
  std::vector<Entry> entries;

  /// Replaces the value of `key`, or appends it.
  void set(std::string_view key, ConfigValue value);
  /// Removes `key` with its comment, if it is there.
  void erase(std::string_view key);
  /// The file. @throws nothing for any text: there is none that can't be written
  [[nodiscard]] std::string text() const;
};

/// One key of a file that somebody wrote.
struct ConfigKey {
  std::vector<std::string> section;  ///< "cache", "export" of [cache.export]; empty: above all sections
  std::string name;
  std::optional<ConfigValue> value;  ///< none: what no option takes
  std::string found;                 ///< what it is, for an error: "a string", "a date"
  std::size_t line = 0;              ///< 1-based
};

/// The keys of a .toml file in the order of their lines. Files of headstart 0.1.0, which were not quite TOML,
/// are read as well.
/// @throws Error kUsage if it can't be read or is no TOML, naming the line
[[nodiscard]] std::vector<ConfigKey> read_config(const std::filesystem::path& file);

/// The same from the file's text.
[[nodiscard]] std::vector<ConfigKey> parse_config(std::string_view text, const std::filesystem::path& file);

}  // namespace headstart
