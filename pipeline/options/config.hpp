// pipeline/options/config.hpp: a config.toml as values: the options of a run, written so that they can be
// read again. Surprise: TOML text must be UTF-8, but a Linux path may have any bytes. Such a path is written
// as a table, { bytes = 'caf\xe9' }, in which \xNN is a byte and \\ a backslash.
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

/// The text that an option takes: "true", "0.001", a string unchanged. A number is read again as exactly the
/// same number.
[[nodiscard]] std::string word_of(const ConfigScalar& scalar);

/// `value` in TOML, on one line.
[[nodiscard]] std::string toml_of(const ConfigValue& value);

/// One section of a config.toml, as a run writes it.
struct Config {
  struct Entry {
    std::string key;
    ConfigValue value;
    std::string comment;  ///< the line above it; empty: none
  };

  std::string section;
  std::string comment;  ///< the line above the section; empty: none
  std::vector<Entry> entries;

  /// Replaces the value of `key`, or appends it.
  void set(std::string_view key, ConfigValue value);
  /// Removes `key` with its comment, if it is there.
  void erase(std::string_view key);
  /// The text of the file. Every text can be written, so text() never throws for a text.
  [[nodiscard]] std::string text() const;
};

/// One key of a file that a user wrote.
struct ConfigKey {
  std::vector<std::string> section;  ///< "cache", "export" for [cache.export]; empty: above all sections
  std::string name;
  std::optional<ConfigValue> value;  ///< empty: a value of a kind that no option takes
  std::string found;                 ///< the kind of the value, for an error: "a string", "a date"
  std::size_t line = 0;              ///< 1-based
};

/// The keys of a .toml file in the order of their lines. Files of headstart 0.1.0, which were not quite TOML,
/// are accepted, too.
/// @throws Error kUsage, with the line, if the file can't be read or is not TOML
[[nodiscard]] std::vector<ConfigKey> read_config(const std::filesystem::path& file);

/// The keys of a file with this text.
[[nodiscard]] std::vector<ConfigKey> parse_config(std::string_view text, const std::filesystem::path& file);

}  // namespace headstart
