// pipeline/options/config.hpp: a config.toml as values: the options of a run, written so that they can be
// read again. Surprise: TOML text must be UTF-8, but a Linux path may have any bytes. Such a path is written
// as a table, { bytes = 'caf\xe9' }, in which \xNN is a byte and \\ a backslash.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace headstart {

using ConfigScalar = std::variant<bool, std::int64_t, double, std::string>;

/// A scalar or a list of them.
using ConfigValue = std::variant<bool, std::int64_t, double, std::string, std::vector<ConfigScalar>>;

/// The text that an option takes: "true", a string unchanged, the shortest text of a number.
[[nodiscard]] std::string word_of(const ConfigScalar& scalar);

/// `value` in TOML, on one line.
[[nodiscard]] std::string toml_of(const ConfigValue& value);

/// The options of one command, as a run writes them.
struct ConfigSection {
  struct Entry {
    std::string key;
    ConfigValue value;
    std::string comment;  ///< the line above it; empty: none
  };

  std::string name;  ///< of the command
  std::vector<Entry> entries;
};

/// What the names of keys mean: a file of 0.1.0 has no format and names some options in another way.
enum class ConfigFormat : std::int64_t { k0_1_0 = 1, kNow = 2 };

/// The text of a config.toml. Every text can be a value, so this never throws for one.
/// @param comment  the first lines, without "#"
[[nodiscard]] std::string config_text(std::string_view comment, std::span<const ConfigSection> sections);

/// One key of a file that a user wrote.
struct ConfigKey {
  std::vector<std::string> section;  ///< "cache", "export" for [cache.export]; empty: above all sections
  std::string name;
  std::optional<ConfigValue> value;  ///< empty: a value of a kind that no option takes
  std::string found;                 ///< the kind of the value, for an error: "a string", "a date"
  std::size_t line = 0;              ///< 1-based
};

/// A config.toml as a person may have written it.
struct ConfigFile {
  ConfigFormat format = ConfigFormat::k0_1_0;  ///< kNow where the file says "format = 2"
  std::vector<ConfigKey> keys;                 ///< in the order of their lines, without the format
};

/// Reads a .toml file. Files of headstart 0.1.0, which were not quite TOML, are accepted, too.
/// @throws Error kUsage, with the line, if the file can't be read, is not TOML, or has another format
[[nodiscard]] ConfigFile read_config(const std::filesystem::path& file);

/// The same for a file with this text.
[[nodiscard]] ConfigFile parse_config(std::string_view text, const std::filesystem::path& file);

}  // namespace headstart
