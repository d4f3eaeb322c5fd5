// pipeline/command_line/help_formatter.cpp
#include "pipeline/command_line/help_formatter.hpp"

#include <string_view>
#include <utility>

namespace headstart {
namespace {

constexpr std::size_t kColumn = 34;
constexpr std::size_t kWidth = 100;

/// Breaks at blanks, so that lines are at most `width` long if the words allow it.
std::string wrap(std::string_view text, std::size_t width) {
  std::string wrapped;
  std::size_t used = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (used > 0 && used + 1 + end > width) {
      wrapped += '\n';
      used = 0;
    } else if (used > 0) {
      wrapped += ' ';
      ++used;
    }
    wrapped += text.substr(0, end);
    used += end;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return wrapped;
}

}  // namespace

HelpFormatter::HelpFormatter() { column_width(kColumn); }

/// The sections of CLI11, with one empty line between them.
std::string HelpFormatter::make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const {
  std::string help = CLI::Formatter::make_help(app, std::move(name), mode);
  for (auto at = help.find("\n\n\n"); at != std::string::npos; at = help.find("\n\n\n", at))
    help.erase(at, 1);
  return help;
}

std::string HelpFormatter::make_description(const CLI::App* app) const {
  const std::string& text = app->get_description();
  return text.empty() ? text : wrap(text, kWidth) + "\n";
}

std::string HelpFormatter::make_option_opts(const CLI::Option* option) const {
  return option->get_type_size() == 0 || option->get_type_name().empty() ? "" : " " + option->get_type_name();
}

std::string HelpFormatter::make_option_desc(const CLI::Option* option) const {
  std::string text = option->get_description();
  if (!option->get_default_str().empty() && option->get_type_size() != 0)
    text += " [" + option->get_default_str() + "]";
  return wrap(text, kWidth - kColumn);
}

std::string HelpFormatter::make_usage(const CLI::App* app, std::string name) const {
  std::string usage = "Usage: " + (name.empty() ? app->get_name() : name);
  for (const CLI::Option* option : app->get_options(
           [](const CLI::Option* o) { return o->get_positional() && !o->get_group().empty(); })) {
    const std::string argument =
        option->get_name(true, false) + (option->get_expected_max() > 1 ? "..." : "");
    usage += option->get_required() ? " " + argument : " [" + argument + "]";
  }
  for (const CLI::Option* option :
       app->get_options([](const CLI::Option* o) { return o->get_required() && o->nonpositional(); })) {
    usage += " " +
             (option->get_snames().empty() ? "--" + option->get_lnames().front()
                                           : "-" + option->get_snames().front()) +
             " " + option->get_type_name();
  }
  const bool commands =
      !app->get_subcommands([](const CLI::App* sub) { return !sub->get_name().empty(); }).empty();
  return usage + (commands ? " COMMAND ..." : " [options]") + "\n\n";
}

}  // namespace headstart
