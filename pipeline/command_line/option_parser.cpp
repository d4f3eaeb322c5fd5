// pipeline/command_line/option_parser.cpp
#include "pipeline/command_line/option_parser.hpp"

#include <algorithm>
#include <cstdint>

namespace headstart {
namespace {

/// The names as CLI11 takes them: "-o,--out", "dataset".
std::string names_of(const OptionFacts& facts) {
  if (facts.positional) return std::string(facts.name);
  std::string names = facts.letter.empty() ? "" : fmt::format("-{},", facts.letter);
  names += fmt::format("--{}", facts.name);
  if (!facts.alias.empty()) names += fmt::format(",--{}", facts.alias);
  return names;
}

std::string name_for_errors(const OptionFacts& facts) {
  return facts.positional ? std::string(facts.name) : fmt::format("--{}", facts.name);
}

CLI::Option& add(CLI::App& app, const Option& option) {
  const std::string help(option.facts.help);
  const auto set = [set = option.set, name = name_for_errors(option.facts)](std::vector<std::string> words) {
    try {
      set(words);
    } catch (const WrongValue& error) {
      throw CLI::ValidationError(name, error.what());
    }
  };
  const auto set_one = [set](const std::string& word) { set({word}); };
  const std::string names = names_of(option.facts);
  switch (option.kind) {
    case OptionKind::kFlag:
      return *app.add_flag_function(
          names, [set](std::int64_t count) { set({count > 0 ? "true" : "false"}); }, help);
    case OptionKind::kList:
      return *app.add_option_function<std::vector<std::string>>(names, set, help)
                  ->delimiter(',')
                  ->allow_extra_args(false)
                  ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    case OptionKind::kMany:
      return *app.add_option_function<std::vector<std::string>>(names, set, help)
                  ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    case OptionKind::kNumber:
    case OptionKind::kText:
      break;
  }
  return *app.add_option_function<std::string>(names, set_one, help);
}

}  // namespace

void add_options(CLI::App& app, const OptionList& list) {
  for (const Option& option : list.options()) {
    CLI::Option& added = add(app, option);
    added.group(option.group)->configurable(option.facts.in_config);
    if (option.kind != OptionKind::kFlag) added.type_name(option.value)->default_str(option.default_value);
    const bool replaceable = list.find(option.facts.excluded_by) != nullptr;
    added.required(option.facts.required && !replaceable);
  }
  for (const Option& option : list.options()) {
    if (const Option* const other = list.find(option.facts.excluded_by))
      app.get_option(name_for_errors(option.facts))->excludes(app.get_option(name_for_errors(other->facts)));
  }
}

std::string with_hyphens(std::string_view name) {
  std::string result(name);
  std::replace(result.begin(), result.end(), '_', '-');
  return result;
}

std::vector<std::string> with_hyphens(std::vector<std::string> arguments) {
  for (std::string& argument : arguments) {
    if (argument == "--") break;
    if (!argument.starts_with("--")) continue;
    const std::size_t end = std::min(argument.find('='), argument.size());
    argument = with_hyphens(argument.substr(0, end)) + argument.substr(end);
  }
  return arguments;
}

}  // namespace headstart
