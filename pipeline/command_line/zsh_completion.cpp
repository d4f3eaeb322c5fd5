// pipeline/command_line/zsh_completion.cpp: one function for each command, made with zsh's _arguments. A
// function completes the options of its command. If the command has subcommands, its function calls that of
// the named subcommand.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string_view>

#include "pipeline/command_line/shell_completion.hpp"

namespace headstart {
namespace {

/// `text` for use inside single quotes, with a backslash before each character of `special`.
std::string escaped(const std::string& text, std::string_view special) {
  std::string result;
  for (const char c : text) {
    if (c == '\'') {
      result += "'\\''";
      continue;
    }
    if (c == '\\' || special.find(c) != std::string_view::npos) result += '\\';
    result += c;
  }
  return result;
}

/// The name of a command's function, such as "_headstart_cache_list".
std::string function_of(const CommandDescription& command) {
  std::string name = "_" + command.name;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c == ' ' || c == '-'; }, '_');
  return name;
}

/// The action that completes a value.
std::string action_of(const OptionDescription& option) {
  switch (option.kind) {
    case ValueKind::kNone:
      return "";
    case ValueKind::kText:
      return " ";
    case ValueKind::kChoice:
      return fmt::format("({})", fmt::join(option.choices, " "));
    case ValueKind::kFile:
      return "_files";
    case ValueKind::kFolder:
      return "_files -/";
  }
  return "";
}

/// One argument of _arguments for each name. Once one name was given, the others are not offered.
std::string spec_of(const OptionDescription& option) {
  std::string text;
  for (const std::string& name : option.names) {
    text += fmt::format("    '({})", fmt::join(option.names, " "));
    const bool is_flag = option.kind == ValueKind::kNone;
    const bool is_long = name.rfind("--", 0) == 0;
    text += fmt::format("{}{}[{}]", name, is_flag ? "" : is_long ? "=" : "+", escaped(option.text, "[]:"));
    if (!is_flag) text += fmt::format(":{}:{}", escaped(option.value, ":"), action_of(option));
    text += "' \\\n";
  }
  return text;
}

std::string functions_of(const CommandDescription& command) {
  std::string text = function_of(command) + "() {\n";
  const bool has_commands = !command.commands.empty();
  if (has_commands) {
    text +=
        "  local curcontext=$curcontext state state_descr line ret=1\n  typeset -A opt_args\n"
        "  local -a commands=(\n";
    for (const CommandDescription& sub : command.commands)
      text += fmt::format("    '{}:{}'\n", sub.last_name(), escaped(sub.text, ":"));
    text += "  )\n";
  }
  text += has_commands ? "  _arguments -C \\\n" : "  _arguments \\\n";
  for (const OptionDescription& option : command.options) text += spec_of(option);
  if (!has_commands) {
    for (const OptionDescription& argument : command.arguments)
      text += fmt::format("    '{}:{}:_files' \\\n", argument.repeated ? "*" : "", argument.names.front());
    text.replace(text.size() - 3, 3, "\n}\n\n");
    return text;
  }
  text +=
      "    '1:command:->command' \\\n    '*::argument:->argument' && ret=0\n  case $state in\n"
      "    command) _describe command commands && ret=0 ;;\n    argument)\n      case $words[1] in\n";
  for (const CommandDescription& sub : command.commands)
    text += fmt::format("        {}) {} && ret=0 ;;\n", sub.last_name(), function_of(sub));
  text += "      esac\n      ;;\n  esac\n  return ret\n}\n\n";
  for (const CommandDescription& sub : command.commands) text += functions_of(sub);
  return text;
}

}  // namespace

std::string zsh_completion(const CommandDescription& program) {
  return "#compdef headstart\n# zsh completion for headstart, made from its command line\n\n" +
         functions_of(program) + fmt::format("{} \"$@\"\n", function_of(program));
}

}  // namespace headstart
