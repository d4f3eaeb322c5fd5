// pipeline/options/option.cpp
#include "pipeline/options/option.hpp"

#include <algorithm>
#include <cmath>
#include <variant>

namespace headstart {
namespace {

std::string default_text(const ConfigValue& value) {
  return std::visit(
      [](const auto& held) -> std::string {
        if constexpr (std::is_same_v<std::decay_t<decltype(held)>, std::vector<ConfigScalar>>) {
          std::string text;
          for (const ConfigScalar& scalar : held) text += (text.empty() ? "" : ",") + word_of(scalar);
          return text;
        } else {
          return word_of(held);
        }
      },
      value);
}

/// Whether the user or a default gave a value other than "no".
bool has_value(const Option& option) {
  const std::optional<ConfigValue> value = option.get();
  return value && *value != ConfigValue(false);
}

/// `value`, a path as it was typed, from the root.
ConfigValue absolute(const ConfigValue& value) {
  return std::filesystem::absolute(std::get<std::string>(value)).string();
}

}  // namespace

ConfigScalar scalar_of(double number) {
  constexpr double kExact = 9e15;
  if (std::floor(number) == number && std::abs(number) < kExact) return static_cast<std::int64_t>(number);
  return number;
}

ConfigValue OptionList::value_from(ConfigScalar scalar) {
  return std::visit([](auto& value) -> ConfigValue { return std::move(value); }, scalar);
}

Option& OptionList::add(const OptionFacts& facts, OptionKind kind, std::string value,
                        std::function<void(const std::vector<std::string>&)> set,
                        std::function<std::optional<ConfigValue>()> get) {
  Option option{facts, kind,           group_,        std::move(value), std::string(facts.preset),
                false, std::move(set), std::move(get)};
  if (!facts.value.empty()) option.value = facts.value;
  if (option.default_value.empty() && kind != OptionKind::kFlag && !facts.required) {
    if (const std::optional<ConfigValue> now = option.get()) option.default_value = default_text(*now);
  }
  return options_.emplace_back(std::move(option));
}

void OptionList::leave_out(std::initializer_list<std::string_view> names) {
  std::erase_if(options_, [&](const Option& option) {
    return std::find(names.begin(), names.end(), option.facts.name) != names.end();
  });
}

void OptionList::leave_out_searched() {
  std::erase_if(options_, [](const Option& option) { return option.facts.searched; });
}

const Option* OptionList::find(std::string_view name) const noexcept {
  const auto found = std::find_if(options_.begin(), options_.end(), [&](const Option& option) {
    return !name.empty() && (option.facts.name == name || option.facts.alias == name);
  });
  return found == options_.end() ? nullptr : &*found;
}

bool OptionList::is_excluded(const Option& option) const {
  const Option* const other = find(option.facts.excluded_by);
  return other != nullptr && has_value(*other);
}

ConfigSection section_of(std::string command, const OptionList& options) {
  ConfigSection section{std::move(command), {}};
  for (const Option& option : options.options()) {
    if (!option.facts.in_config || options.is_excluded(option)) continue;
    std::optional<ConfigValue> value = option.get();
    if (!value) continue;
    if (option.is_path) value = absolute(*value);
    section.entries.push_back(
        {std::string(option.facts.name), std::move(*value), std::string(option.facts.help)});
  }
  return section;
}

}  // namespace headstart
