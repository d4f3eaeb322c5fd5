// pipeline/command_line/config_options.cpp
#include "pipeline/command_line/config_options.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "data/error.hpp"
#include "pipeline/command_line/option_parser.hpp"
#include "pipeline/command_line/suggestion.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;

const char* expectation_of(OptionKind kind) {
  switch (kind) {
    case OptionKind::kFlag:
      return "true or false";
    case OptionKind::kNumber:
      return "a number, without quotes";
    case OptionKind::kList:
    case OptionKind::kMany:
      return "a list, such as [\"one\", \"two\"]";
    case OptionKind::kText:
      break;
  }
  return "a string, in quotes";
}

bool suits(const ConfigValue& value, OptionKind kind) {
  const bool is_number = std::holds_alternative<std::int64_t>(value) || std::holds_alternative<double>(value);
  switch (kind) {
    case OptionKind::kFlag:
      return std::holds_alternative<bool>(value);
    case OptionKind::kNumber:
      return is_number;
    case OptionKind::kList:
    case OptionKind::kMany:
      if (const auto* list = std::get_if<std::vector<ConfigScalar>>(&value)) return !list->empty();
      return !std::holds_alternative<bool>(value);
    case OptionKind::kText:
      break;
  }
  return is_number || std::holds_alternative<std::string>(value);  // a folder may be called 2024
}

/// The values as an option takes them.
std::vector<std::string> option_words(const ConfigValue& value) {
  return std::visit(
      [](const auto& held) -> std::vector<std::string> {
        if constexpr (std::is_same_v<std::decay_t<decltype(held)>, std::vector<ConfigScalar>>) {
          std::vector<std::string> words;
          for (const ConfigScalar& scalar : held) words.push_back(word_of(scalar));
          return words;
        } else {
          return {word_of(held)};
        }
      },
      value);
}

/// `option` in a parser that has it.
CLI::Option& parsed_option(CLI::App& app, const Option& option) {
  return *app.get_option((option.facts.positional ? "" : "--") + std::string(option.facts.name));
}

/// The command at that path; null if there is none.
CLI::App* find_section(CLI::App& root, const std::vector<std::string>& path) {
  CLI::App* app = &root;
  for (const std::string& name : path) {
    const auto found = app->get_subcommands([&](CLI::App* command) { return command->get_name() == name; });
    if (found.empty()) return nullptr;
    app = found.front();
  }
  return app;
}

[[noreturn]] void refuse_key(const std::string& what, const fs::path& file, const ConfigKey& key,
                             const std::string& advice) {
  throw Error(Error::Kind::kUsage, what, fmt::format("{}, line {}: {}", file.string(), key.line, key.name),
              advice);
}

std::string did_you_mean(const std::string& name, const std::vector<std::string>& names,
                         const std::string& otherwise) {
  const std::string meant = suggestion(name, names);
  return meant.empty() ? otherwise : meant;
}

[[noreturn]] void refuse_section(CLI::App& root, const fs::path& file, const ConfigKey& key) {
  std::vector<std::string> names;
  for (const CLI::App* command : root.get_subcommands([](CLI::App*) { return true; }))
    names.push_back(command->get_name());
  throw Error(Error::Kind::kUsage, "unknown section in the configuration",
              fmt::format("{}, line {}: [{}]", file.string(), key.line, fmt::join(key.section, ".")),
              did_you_mean(key.section.front(), names, "sections are called as commands are"));
}

/// The option that `key` names; null if there is none. In files of 0.1.0 some options have other names.
const Option* find_option(const OptionList& list, const ConfigKey& key, ConfigFormat format) {
  const std::string name = with_hyphens(key.name);
  if (format == ConfigFormat::k0_1_0) {
    for (const Option& option : list.options()) {
      if (option.facts.in_0_1_0 == name) return &option;
    }
  }
  return list.find(name);
}

/// A key of the file with the option that it names, in the parser that the file is applied to.
struct KeyedOption {
  const Option& described;
  CLI::Option& parsed;
  bool has_other_meaning = false;  ///< the key's name is that of another option now
};

/// @throws Error kUsage if there is no such option, or if it does not take such a value
KeyedOption option_of(CLI::App& root, const DescribedCommands& commands, const fs::path& file,
                      const ConfigKey& key, ConfigFormat format) {
  if (key.section.empty()) {
    refuse_key("a key of the configuration stands in no section", file, key,
               "put it below the name of a command, such as [train]");
  }
  CLI::App* app = find_section(root, key.section);
  if (app == nullptr) refuse_section(root, file, key);
  const auto command = commands.find(app);
  const Option* option = command == commands.end() ? nullptr : find_option(*command->second, key, format);
  if (option == nullptr) {
    std::vector<std::string> names;
    if (command != commands.end()) {
      for (const Option& known : command->second->options()) {
        if (known.facts.in_config) names.emplace_back(known.facts.name);
      }
    }
    refuse_key(
        "unknown key in the configuration", file, key,
        did_you_mean(with_hyphens(key.name), names,
                     fmt::format("headstart {} --help lists what there is", fmt::join(key.section, " "))));
  }
  if (!option->facts.in_config) {
    refuse_key("a key that no configuration may have", file, key,
               fmt::format("pass --{} on the command line", option->facts.name));
  }
  if (!key.value || !suits(*key.value, option->kind)) {
    refuse_key("wrong value in the configuration", file, key,
               fmt::format("it is {}, needed is {}", key.found, expectation_of(option->kind)));
  }
  const Option* const now = command->second->find(with_hyphens(key.name));
  return {*option, parsed_option(*app, *option), now != nullptr && now != option};
}

/// Whether the command line decides an option: it has this option, or one that excludes it.
bool decided(const CLI::Option& typed) {
  const auto& excluded = typed.get_excludes();
  return typed.count() > 0 || std::any_of(excluded.begin(), excluded.end(),
                                          [](const CLI::Option* other) { return other->count() > 0; });
}

}  // namespace

std::vector<std::string> apply_config(const fs::path& file, CLI::App& typed, CLI::App& app,
                                      const DescribedCommands& commands,
                                      const std::vector<std::string>& command) {
  CLI::App* typed_command = find_section(typed, command);
  bool has_section = false;
  const ConfigFile config = read_config(file);
  std::vector<std::string> notes;
  for (const ConfigKey& key : config.keys) {
    const KeyedOption option = option_of(app, commands, file, key, config.format);
    if (key.section != command) continue;
    has_section = true;
    if (decided(parsed_option(*typed_command, option.described))) continue;
    if (option.has_other_meaning && key.value != ConfigValue(std::int64_t{0})) {
      notes.push_back(fmt::format(
          "{}, line {}: without format = {} as its first line, {} means --{} here", printable(file.string()),
          key.line, static_cast<std::int64_t>(ConfigFormat::kNow), key.name, option.described.facts.name));
    }
    try {
      for (std::string& word : option_words(*key.value)) option.parsed.add_result(std::move(word));
      option.parsed.run_callback();
    } catch (const CLI::ParseError& error) {
      refuse_key("wrong value in the configuration", file, key, error.what());
    }
  }
  if (!has_section && !config.keys.empty()) {
    notes.push_back(fmt::format("{} has no section [{}]: nothing of it is used", printable(file.string()),
                                fmt::join(command, ".")));
  }
  return notes;
}

}  // namespace headstart
