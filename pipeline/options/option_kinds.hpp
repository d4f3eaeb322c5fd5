// pipeline/options/option_kinds.hpp: the two most frequent kinds of options: one word of a short list, and a
// number within bounds.
#pragma once

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace headstart {

/// The words of an option with their values.
template <typename T>
using Names = std::vector<std::pair<std::string, T>>;

/// The words as --help shows them: "auto|onednn|opencv".
template <typename T>
std::string joined(const Names<T>& names) {
  std::string text;
  for (const auto& [name, value] : names) text += (text.empty() ? "" : "|") + name;
  return text;
}

/// The value of the word `text`. @throws CLI::ValidationError with the option and the words that it takes
template <typename T>
T named(const std::string& option, const std::string& text, const Names<T>& names) {
  for (const auto& [name, value] : names) {
    if (name == text) return value;
  }
  throw CLI::ValidationError(option, fmt::format("is '{}', needed {}", text, joined(names)));
}

/// An option that takes one word of a short list.
template <typename T>
CLI::Option* add_choice(CLI::App& app, const std::string& option, T& target, const Names<T>& names,
                        const std::string& description) {
  const auto current =
      std::find_if(names.begin(), names.end(), [&](const auto& name) { return name.second == target; });
  return app
      .add_option_function<std::string>(
          option, [&target, &names, option](const std::string& text) { target = named(option, text, names); },
          description)
      ->type_name(joined(names))
      ->default_str(current->first);
}

/// CLI11's check of a number; both bounds are included.
inline auto number_between(double low, double high) {
  return [low, high](const std::string& text) {
    double value = 0.0;
    if (!CLI::detail::lexical_cast(text, value)) return fmt::format("'{}' is not a number", text);
    if (!(value >= low && value <= high)) return fmt::format("is {}, needed {} to {}", text, low, high);
    return std::string();
  };
}

/// Whether an option takes one number, which --help calls N or SECONDS.
inline bool takes_number(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  return type == "N" || type == "SECONDS";
}

/// A number between two bounds, both included.
template <typename T>
CLI::Option* add_number(CLI::App& app, const std::string& option, T& target, double low, double high,
                        const std::string& description, const std::string& type = "N") {
  return app.add_option(option, target, description)
      ->type_name(type)
      ->check(number_between(low, high))
      ->default_str(fmt::format("{}", target));
}

}  // namespace headstart
