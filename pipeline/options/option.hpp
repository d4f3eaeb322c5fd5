// pipeline/options/option.hpp: an option of a command as a value. Each options struct describes its fields
// once (describe_train() and so on): a field with the facts about it. The command line, config.toml, the
// identity of a checkpoint, manual pages and completion are made from the list of these options.
#pragma once

#include <fmt/format.h>

#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "memory/enum_names.hpp"
#include "pipeline/options/config.hpp"

namespace headstart {

/// What a description says about an option, besides its field. Texts are literals.
struct OptionFacts {
  std::string_view name;  ///< "epochs" is --epochs, and the key in config.toml
  std::string_view help = {};
  double low = 0.0;  ///< bounds of a number, both included
  double high = std::numeric_limits<std::int32_t>::max();
  std::string_view value = {};        ///< its value in --help; empty: N, or the names of the choices
  std::string_view preset = {};       ///< its default in --help; empty: the value of the field
  std::string_view letter = {};       ///< "o" is -o
  std::string_view alias = {};        ///< a second name: Keras's, where that is another
  std::string_view in_0_1_0 = {};     ///< its name in files of 0.1.0, where that is another
  std::string_view excluded_by = {};  ///< the option beside which this one has no use
  bool positional = false;
  bool required = false;
  bool in_config = true;  ///< config.toml may have it
  bool harmless = false;  ///< changes places, speed or safety, not the result: may differ on --resume
  bool recorded = false;  ///< model.h5 has it, for a later training
  bool searched = false;  ///< sweep decides it
};

/// A value that an option does not take. The message has no name of the option: "is 0, needed 1 to 9".
struct WrongValue : std::runtime_error {
  using runtime_error::runtime_error;
};

enum class OptionKind {
  kFlag,    ///< true or false
  kNumber,  ///< one number
  kText,    ///< one word: a name, a path, a number with a unit
  kList,    ///< words with commas between
  kMany     ///< an argument that may come several times
};

/// An option with access to its field, which has to outlive it.
struct Option {
  OptionFacts facts;
  OptionKind kind = OptionKind::kText;
  std::string group;          ///< its heading in --help
  std::string value;          ///< what --help calls its value
  std::string default_value;  ///< what --help gives as its default; may be empty
  bool is_path = false;
  std::function<void(const std::vector<std::string>& words)> set;  ///< throws WrongValue
  std::function<std::optional<ConfigValue>()> get;                 ///< empty: the field has no value
};

/// One word of each choice with its value.
template <typename T>
using Choices = std::vector<std::pair<std::string, T>>;

/// `word` as a number. @throws WrongValue unless it is one, whole for an integer, within the bounds
template <typename T>
[[nodiscard]] T number_of(std::string word, const OptionFacts& facts) {
  const std::string_view digits = std::string_view(word).substr(word.starts_with('+') ? 1 : 0);
  const char* const end = digits.data() + digits.size();
  double number = 0.0;
  if (digits.empty() || std::from_chars(digits.data(), end, number).ptr != end)
    throw WrongValue(fmt::format("'{}' is not a number", word));
  if (!(number >= facts.low && number <= facts.high))
    throw WrongValue(fmt::format("is {}, needed {} to {}", word, facts.low, facts.high));
  if constexpr (std::floating_point<T>) {
    return number;
  } else {
    T whole{};
    if (std::from_chars(digits.data(), end, whole).ptr != end)
      throw WrongValue(fmt::format("is {}, needed a whole number", word));
    return whole;
  }
}

template <typename T>
[[nodiscard]] std::string joined_words(const Choices<T>& choices) {
  std::string words;
  for (const auto& [word, value] : choices) words += (words.empty() ? "" : "|") + word;
  return words;
}

/// `word` as a value of that type. @throws WrongValue
template <typename T>
[[nodiscard]] T value_of(const std::string& word, const OptionFacts& facts) {
  if constexpr (std::is_arithmetic_v<T>) {
    return number_of<T>(word, facts);
  } else if constexpr (std::is_enum_v<T>) {
    if (const std::optional<T> value = parse_name<T>(word)) return *value;
    throw WrongValue(fmt::format("is '{}', needed {}", word, joined_names<T>()));
  } else {
    return T(word);
  }
}

/// A whole number is written as one, whatever its type.
[[nodiscard]] ConfigScalar scalar_of(double number);

/// `value` as config.toml and --help have it.
template <typename T>
[[nodiscard]] ConfigScalar scalar_of(const T& value) {
  if constexpr (std::integral<T>) {
    return static_cast<std::int64_t>(value);
  } else if constexpr (std::is_enum_v<T>) {
    return std::string(to_string(value));
  } else {
    return std::string(value);
  }
}

/// The options of one command.
class OptionList {
 public:
  /// The heading in --help of the options that follow.
  void start_group(std::string name) { group_ = std::move(name); }

  /// Adds an option for `field`: bool, a number, an enum with names, a text, a path, or std::optional or
  /// std::vector of one. An empty list of numbers is the word 0.
  template <typename T>
  void operator()(const OptionFacts& facts, T& field) {
    if constexpr (std::same_as<T, bool>) {
      add(
          facts, OptionKind::kFlag, {},
          [&field](const std::vector<std::string>& words) { field = words.back() == "true"; },
          [&field]() -> std::optional<ConfigValue> { return field; });
    } else {
      constexpr bool kIsPath = std::same_as<T, std::filesystem::path>;
      add(
          facts, std::is_arithmetic_v<T> ? OptionKind::kNumber : OptionKind::kText, value_name<T>(),
          [&field, facts](const std::vector<std::string>& words) {
            field = value_of<T>(words.back(), facts);
          },
          [&field]() -> std::optional<ConfigValue> {
            if constexpr (requires { field.empty(); }) {
              if (field.empty()) return std::nullopt;
            }
            return value_from(scalar_of(field));
          })
          .is_path = kIsPath;
    }
  }

  template <typename T>
  void operator()(const OptionFacts& facts, std::optional<T>& field) {
    add(
        facts, std::is_arithmetic_v<T> ? OptionKind::kNumber : OptionKind::kText, value_name<T>(),
        [&field, facts](const std::vector<std::string>& words) { field = value_of<T>(words.back(), facts); },
        [&field]() -> std::optional<ConfigValue> {
          return field ? std::optional(value_from(scalar_of(*field))) : std::nullopt;
        });
  }

  template <typename T>
  void operator()(const OptionFacts& facts, std::vector<T>& field) {
    items(
        facts, field, [facts](const std::string& word) { return value_of<T>(word, facts); },
        [](const T& value) { return scalar_of(value); });
  }

  /// Adds an option for one of several values whose names are not those of NamedEnum.
  template <typename T>
  void choice(const OptionFacts& facts, T& field, const Choices<T>& choices) {
    add(
        facts, OptionKind::kText, joined_words(choices),
        [&field, choices](const std::vector<std::string>& words) {
          for (const auto& [word, value] : choices) {
            if (word == words.back()) return static_cast<void>(field = value);
          }
          throw WrongValue(fmt::format("is '{}', needed {}", words.back(), joined_words(choices)));
        },
        [&field, choices]() -> std::optional<ConfigValue> {
          for (const auto& [word, value] : choices) {
            if (value == field) return word;
          }
          return std::nullopt;
        });
  }

  /// Adds an option for a list. @param parse  reads a word  @param write  the ConfigScalar of a value
  template <typename T, typename Parse, typename Write>
  void items(const OptionFacts& facts, std::vector<T>& field, Parse parse, Write write) {
    add(
        facts, OptionKind::kList, "N,...",
        [&field, parse](const std::vector<std::string>& words) {
          std::vector<T> values;
          for (const std::string& word : words) values.push_back(parse(word));
          field = std::move(values);
        },
        [&field, write]() -> std::optional<ConfigValue> {
          std::vector<ConfigScalar> scalars;
          for (const T& value : field) scalars.push_back(write(value));
          if (scalars.empty()) scalars.emplace_back(std::int64_t{0});
          return scalars;
        });
  }

  /// Adds an option whose field has a text of its own.
  /// @param parse   the value of a text; empty: none, and `needed` says which texts have one
  /// @param write   the text of the field; empty: the field has no value
  template <typename T, typename Parse, typename Write>
  void text(const OptionFacts& facts, T& field, Parse parse, Write write, std::string_view needed) {
    add(
        facts, OptionKind::kText, {},
        [&field, parse, needed](const std::vector<std::string>& words) {
          auto value = parse(words.back());
          if (!value) throw WrongValue(fmt::format("is '{}', needed {}", words.back(), needed));
          field = std::move(*value);
        },
        [&field, write]() -> std::optional<ConfigValue> {
          std::string text = write(field);
          if (text.empty()) return std::nullopt;
          return text;
        });
  }

  /// Adds an option with functions of its own.
  Option& add(const OptionFacts& facts, OptionKind kind, std::string value,
              std::function<void(const std::vector<std::string>&)> set,
              std::function<std::optional<ConfigValue>()> get);

  /// Adds the options of another list, in their groups.
  void append(const OptionList& other) {
    options_.insert(options_.end(), other.options_.begin(), other.options_.end());
  }
  /// Removes options, because the command describes them itself or has no use for them.
  void leave_out(std::initializer_list<std::string_view> names);
  /// Removes the options that sweep decides.
  void leave_out_searched();

  [[nodiscard]] const std::vector<Option>& options() const noexcept { return options_; }
  /// The option of that name or alias; null if there is none.
  [[nodiscard]] const Option* find(std::string_view name) const noexcept;
  /// Whether an option that `option` yields to has a value.
  [[nodiscard]] bool is_excluded(const Option& option) const;

 private:
  [[nodiscard]] static ConfigValue value_from(ConfigScalar scalar);

  template <typename T>
  [[nodiscard]] static std::string value_name() {
    if constexpr (std::is_arithmetic_v<T>) return "N";
    if constexpr (std::is_enum_v<T>) return joined_names<T>();
    return {};
  }

  std::string group_ = "Options";
  std::vector<Option> options_;
};

/// The section of config.toml that repeats a command with these options. Paths are written from the root, so
/// that the file works in any folder.
[[nodiscard]] ConfigSection section_of(std::string command, const OptionList& options);

}  // namespace headstart
