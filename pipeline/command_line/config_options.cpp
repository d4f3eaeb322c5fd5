// pipeline/command_line/config_options.cpp
#include "pipeline/command_line/config_options.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "data/error.hpp"
#include "pipeline/command_line/nearest_name.hpp"
#include "pipeline/options/option_kinds.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;

/// The kind of value that a key of the file must have.
enum class KeyKind { kFlag, kNumber, kList, kText };

KeyKind key_kind(const CLI::Option& option) {
  if (option.get_items_expected_max() == 0) return KeyKind::kFlag;
  if (option.get_delimiter() != '\0') return KeyKind::kList;
  return takes_number(option) ? KeyKind::kNumber : KeyKind::kText;
}

const char* expectation_of(KeyKind kind) {
  switch (kind) {
    case KeyKind::kFlag:
      return "true or false";
    case KeyKind::kNumber:
      return "a number, without quotes";
    case KeyKind::kList:
      return "a list, such as [\"one\", \"two\"]";
    case KeyKind::kText:
      break;
  }
  return "a string, in quotes";
}

bool suits(const ConfigValue& value, KeyKind kind) {
  const bool is_number = std::holds_alternative<std::int64_t>(value) || std::holds_alternative<double>(value);
  switch (kind) {
    case KeyKind::kFlag:
      return std::holds_alternative<bool>(value);
    case KeyKind::kNumber:
      return is_number;
    case KeyKind::kList:
      if (const auto* list = std::get_if<std::vector<ConfigScalar>>(&value)) return !list->empty();
      return !std::holds_alternative<bool>(value);
    case KeyKind::kText:
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

/// A number if the option itself reads `word` as one; otherwise the text.
ConfigScalar number_or_text(const std::string& word) {
  const auto is_whole = [](const std::string& text, std::int64_t& whole) {
    return CLI::detail::lexical_cast(text, whole) && fmt::format("{}", whole) == text;
  };
  std::int64_t whole = 0;
  double number = 0.0;
  if (is_whole(word, whole)) return whole;
  if (CLI::detail::lexical_cast(word, number)) {
    if (is_whole(fmt::format("{}", number), whole)) return whole;
    return number;
  }
  return word;
}

ConfigValue config_value_of(const CLI::Option& option, std::vector<std::string> words) {
  switch (key_kind(option)) {
    case KeyKind::kFlag:
      return !words.empty() && option.as<bool>();
    case KeyKind::kNumber:
      return std::visit([](auto value) -> ConfigValue { return value; }, number_or_text(words.back()));
    case KeyKind::kList: {
      std::vector<ConfigScalar> list;
      for (const std::string& word : words) list.push_back(number_or_text(word));
      return list;
    }
    case KeyKind::kText:
      break;
  }
  return std::move(words.back());
}

/// The option of that name; null if there is none.
CLI::Option* find_option(CLI::App& app, const std::string& key) {
  CLI::Option* found = app.get_option_no_throw("--" + key);
  return found != nullptr ? found : app.get_option_no_throw(key);
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
  const std::string nearest = nearest_name(name, names);
  return nearest.empty() ? otherwise : fmt::format("did you mean {}?", nearest);
}

[[noreturn]] void refuse_section(CLI::App& root, const fs::path& file, const ConfigKey& key) {
  std::vector<std::string> names;
  for (const CLI::App* command : root.get_subcommands([](CLI::App*) { return true; }))
    names.push_back(command->get_name());
  throw Error(Error::Kind::kUsage, "unknown section in the configuration",
              fmt::format("{}, line {}: [{}]", file.string(), key.line, fmt::join(key.section, ".")),
              did_you_mean(key.section.front(), names, "sections are called as commands are"));
}

/// The option that `key` names. @throws Error kUsage if there is none, or if it does not take such a value
CLI::Option& option_of(CLI::App& root, const fs::path& file, const ConfigKey& key) {
  if (key.section.empty()) {
    refuse_key("a key of the configuration stands in no section", file, key,
               "put it below the name of a command, such as [train]");
  }
  CLI::App* app = find_section(root, key.section);
  if (app == nullptr) refuse_section(root, file, key);
  CLI::Option* option = find_option(*app, key.name);
  if (option == nullptr) {
    std::vector<std::string> names;
    for (const CLI::Option* known : app->get_options([](CLI::Option* o) { return o->get_configurable(); }))
      names.push_back(known->get_single_name());
    refuse_key(
        "unknown key in the configuration", file, key,
        did_you_mean(key.name, names,
                     fmt::format("headstart {} --help lists what there is", fmt::join(key.section, " "))));
  }
  if (!option->get_configurable()) {
    refuse_key("a key that no configuration may have", file, key,
               fmt::format("pass --{} on the command line", key.name));
  }
  const KeyKind kind = key_kind(*option);
  if (!key.value || !suits(*key.value, kind)) {
    refuse_key("wrong value in the configuration", file, key,
               fmt::format("it is {}, needed is {}", key.found, expectation_of(kind)));
  }
  return *option;
}

/// Whether the command line decides `option`: it has this option, or one that excludes it.
bool decided(CLI::App& typed, const std::string& name) {
  const CLI::Option* option = find_option(typed, name);
  if (option->count() > 0) return true;
  const auto& excluded = option->get_excludes();
  return std::any_of(excluded.begin(), excluded.end(),
                     [](const CLI::Option* other) { return other->count() > 0; });
}

}  // namespace

Config config_of(const CLI::App& app) {
  Config config{app.get_name(), "", {}};
  const auto configurable =
      app.get_options([](const CLI::Option* option) { return option->get_configurable(); });
  // In the order of --help, but options without a group first.
  std::vector<std::string> groups = app.get_groups();
  std::stable_partition(groups.begin(), groups.end(),
                        [](const std::string& group) { return group == "Options"; });
  for (const std::string& group : groups) {
    for (const CLI::Option* option : configurable) {
      if (option->get_group() != group) continue;
      const std::string preset = option->get_default_str();
      std::vector<std::string> words = option->reduced_results();
      if (option->count() == 0 && key_kind(*option) == KeyKind::kList)
        words = CLI::detail::split(preset, option->get_delimiter());
      if (option->count() == 0 && key_kind(*option) != KeyKind::kList && !preset.empty()) words = {preset};
      if (words.empty() && key_kind(*option) != KeyKind::kFlag) continue;
      config.entries.push_back(
          {option->get_single_name(), config_value_of(*option, std::move(words)), option->get_description()});
    }
  }
  return config;
}

std::optional<std::string> apply_config(const fs::path& file, CLI::App& typed, CLI::App& app,
                                        const std::vector<std::string>& command) {
  CLI::App* typed_command = find_section(typed, command);
  bool has_section = false;
  const std::vector<ConfigKey> keys = read_config(file);
  for (const ConfigKey& key : keys) {
    CLI::Option& option = option_of(app, file, key);
    if (key.section != command) continue;
    has_section = true;
    if (decided(*typed_command, key.name)) continue;
    try {
      for (std::string& word : option_words(*key.value)) option.add_result(std::move(word));
      option.run_callback();
    } catch (const CLI::ParseError& error) {
      refuse_key("wrong value in the configuration", file, key, error.what());
    }
  }
  if (has_section || keys.empty()) return std::nullopt;
  return fmt::format("{} has no section [{}]: nothing of it is used", printable(file.string()),
                     fmt::join(command, "."));
}

}  // namespace headstart
