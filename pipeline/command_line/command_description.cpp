// pipeline/command_line/command_description.cpp
#include "pipeline/command_line/command_description.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "pipeline/command_line/help_formatter.hpp"

namespace headstart {
namespace {

bool is_shown(const CLI::Option* option) { return !option->get_group().empty(); }

/// Splits "auto|native" into words; empty if `value` is not such a list, as "K/N|none".
std::vector<std::string> choices_of(const std::string& value) {
  const bool words = std::all_of(value.begin(), value.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '|';
  });
  return words && value.find('|') != std::string::npos ? CLI::detail::split(value, '|')
                                                       : std::vector<std::string>();
}

ValueKind kind_of(const std::string& value) {
  if (value.rfind("FILE", 0) == 0) return ValueKind::kFile;
  if (value == "DIR" || value == "OUT") return ValueKind::kFolder;
  return choices_of(value).empty() ? ValueKind::kText : ValueKind::kChoice;
}

OptionDescription describe(const CLI::Option& option) {
  OptionDescription description;
  description.text = option.get_description();
  description.group = option.get_group();
  if (option.get_positional()) {  // every one of them is a path
    description.names = {option.get_name(true, false)};
    description.kind = ValueKind::kFile;
    description.repeated = option.get_expected_max() > 1;
    return description;
  }
  for (const std::string& name : option.get_snames()) description.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) description.names.push_back("--" + name);
  if (option.get_items_expected_min() == 0) {
    description.kind = ValueKind::kNone;
    return description;
  }
  description.value = option.get_type_name();
  description.default_value = option.get_default_str();
  description.kind = kind_of(description.value);
  description.choices = choices_of(description.value);
  return description;
}

/// @param parent     the name of the parent command, with a blank; empty for the program
/// @param inherited  options of the parent commands, which may also come after this command
CommandDescription describe(const CLI::App& app, const std::string& parent,
                            const std::vector<OptionDescription>& inherited) {
  CommandDescription command;
  command.name = parent + app.get_name();
  const std::string prefix = "Usage: ";
  command.usage =
      CLI::detail::trim_copy(HelpFormatter().make_usage(&app, command.name).substr(prefix.size()));
  command.text = app.get_description();
  for (const CLI::Option* option : app.get_options(is_shown)) {
    (option->get_positional() ? command.arguments : command.options).push_back(describe(*option));
  }
  std::vector<OptionDescription> to_inherit = inherited;
  std::copy_if(command.options.begin(), command.options.end(), std::back_inserter(to_inherit),
               [](const OptionDescription& option) { return option.kind != ValueKind::kNone; });
  command.options.insert(command.options.end(), inherited.begin(), inherited.end());
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App* s) { return !s->get_name().empty(); })) {
    command.commands.push_back(describe(*sub, command.name + " ", to_inherit));
  }
  return command;
}

}  // namespace

std::string CommandDescription::last_name() const { return name.substr(name.rfind(' ') + 1); }

CommandDescription describe(const CLI::App& app) { return describe(app, "", {}); }

}  // namespace headstart
