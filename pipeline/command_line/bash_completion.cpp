// pipeline/command_line/bash_completion.cpp: one bash function in three parts. The first part finds the
// command. The middle part has one case for each command, with the possible words. The last part offers the
// words.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <vector>

#include "pipeline/command_line/shell_completion.hpp"

namespace headstart {
namespace {

// readline splits "--engine=native" into three words.
constexpr const char* kHead = R"(# bash completion for headstart, made from its command line

_headstart() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  local command='' commands='' options='' value='' i
  if [[ $current == = ]]; then
    current=
  elif [[ $previous == = ]] && ((COMP_CWORD > 2)); then
    previous=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$command ${COMP_WORDS[i]}" in
)";

// The patterns of commands come between kHead and kMiddle.
constexpr const char* kMiddle = R"() command="${command:+$command }${COMP_WORDS[i]}" ;;
    esac
  done
  case $command in
)";

constexpr const char* kFoot = R"(  esac
  COMPREPLY=()
  case $value in
    TEXT) return ;;
    FILE) ;;
    FOLDER)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -d -- "$current")
      return
      ;;
    ?*)
      mapfile -t COMPREPLY < <(compgen -W "$value" -- "$current")
      return
      ;;
    *)
      if [[ $current == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$current")
        return
      elif [[ -n $commands ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$current")
        return
      fi
      ;;
  esac
  compopt -o filenames 2>/dev/null
  mapfile -t COMPREPLY < <(compgen -f -- "$current")
}

complete -F _headstart headstart
)";

/// The words that name `command`, without the program's name: "cache list".
std::string words_of(const CommandDescription& command) {
  const std::size_t blank = command.name.find(' ');
  return blank == std::string::npos ? "" : command.name.substr(blank + 1);
}

/// Patterns of a command and one of its subcommands: "' cache' | 'cache list'".
void add_patterns(const CommandDescription& command, std::vector<std::string>& patterns) {
  for (const CommandDescription& sub : command.commands) {
    patterns.push_back(fmt::format("'{} {}'", words_of(command), sub.last_name()));
    add_patterns(sub, patterns);
  }
}

/// The value of the bash variable `value` after an option; empty for flags.
std::string value_of(const OptionDescription& option) {
  switch (option.kind) {
    case ValueKind::kNone:
      return "";
    case ValueKind::kText:
      return "TEXT";
    case ValueKind::kChoice:
      return fmt::format("{}", fmt::join(option.choices, " "));
    case ValueKind::kFile:
      return "FILE";
    case ValueKind::kFolder:
      return "FOLDER";
  }
  return "";
}

std::string cases_of(const CommandDescription& command) {
  std::vector<std::string> names;
  std::map<std::string, std::vector<std::string>> takers;  // the options that take each value
  for (const OptionDescription& option : command.options) {
    names.insert(names.end(), option.names.begin(), option.names.end());
    if (const std::string value = value_of(option); !value.empty())
      takers[value].insert(takers[value].end(), option.names.begin(), option.names.end());
  }
  std::string text = fmt::format("    '{}')\n      options='{}'\n", words_of(command), fmt::join(names, " "));
  if (!command.commands.empty()) {
    std::vector<std::string> commands;
    for (const CommandDescription& sub : command.commands) commands.push_back(sub.last_name());
    text += fmt::format("      commands='{}'\n", fmt::join(commands, " "));
  }
  text += "      case $previous in\n";
  for (const auto& [value, options] : takers)
    text += fmt::format("        {}) value='{}' ;;\n", fmt::join(options, " | "), value);
  text += "      esac\n      ;;\n";
  for (const CommandDescription& sub : command.commands) text += cases_of(sub);
  return text;
}

}  // namespace

std::string bash_completion(const CommandDescription& program) {
  std::vector<std::string> patterns;
  add_patterns(program, patterns);
  return fmt::format("{}      {}{}{}{}", kHead, fmt::join(patterns, " | "), kMiddle, cases_of(program),
                     kFoot);
}

}  // namespace headstart
