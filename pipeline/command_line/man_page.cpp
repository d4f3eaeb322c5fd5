// pipeline/command_line/man_page.cpp
#include "pipeline/command_line/man_page.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace headstart {
namespace {

/// Escapes `text` for troff. A hyphen in an option's name stays a hyphen that can be copied and pasted.
std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (c == '-') {
      result += "\\-";
    } else if (c == '\\') {
      result += "\\e";
    } else {
      result += c;
    }
  }
  // troff would take a line that begins with one of these characters as a request.
  return !result.empty() && (result[0] == '.' || result[0] == '\'') ? "\\&" + result : result;
}

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return text;
}

/// The name of the page, such as "headstart-cache".
std::string page_name(const CommandDescription& command) {
  std::string name = command.name;
  std::replace(name.begin(), name.end(), ' ', '-');
  return name;
}

std::string reference(const CommandDescription& command) {
  return fmt::format("\\fB{}\\fR(1)", escaped(page_name(command)));
}

std::string title(const CommandDescription& command, const std::string& purpose) {
  const std::string name = page_name(command);
  return fmt::format(".TH {} 1 \"\" \"headstart {}\" \"headstart\"\n.SH NAME\n{} \\- {}\n",
                     escaped(upper(name)), HEADSTART_VERSION, escaped(name), escaped(purpose));
}

std::string synopsis(const CommandDescription& command) {
  return fmt::format(".nf\n\\fB{}\\fR{}\n.fi\n", escaped(command.name),
                     escaped(command.usage.substr(command.name.size())));
}

/// "-o, --out OUT", then its description and its default.
std::string entry(const OptionDescription& option) {
  std::string names;
  for (const std::string& name : option.names)
    names += fmt::format("{}\\fB{}\\fR", names.empty() ? "" : ", ", escaped(name));
  if (!option.value.empty()) names += fmt::format(" \\fI{}\\fR", escaped(option.value));
  if (option.repeated) names += " ...";
  const std::string standard = option.default_value.empty() ? "" : fmt::format(" [{}]", option.default_value);
  return fmt::format(".TP\n{}\n{}\n", names, escaped(option.text + standard));
}

/// Arguments, then options under the headings of --help.
/// @param heading  the macro for headings: ".SH" or ".SS"; empty: no headings
std::string entries(const CommandDescription& command, const std::string& heading) {
  const auto head = [&](const std::string& text) {
    return heading.empty() ? std::string()
                           : fmt::format("{} {}\n", heading, heading == ".SH" ? upper(text) : text);
  };
  std::string text;
  if (!command.arguments.empty()) text += head("Arguments");
  for (const OptionDescription& argument : command.arguments) text += entry(argument);
  std::vector<std::string> groups;
  for (const OptionDescription& option : command.options) {
    if (std::find(groups.begin(), groups.end(), option.group) == groups.end()) groups.push_back(option.group);
  }
  for (const std::string& group : groups) {
    text += head(group == "Options" ? group : group + " options");
    for (const OptionDescription& option : command.options) {
      if (option.group == group) text += entry(option);
    }
  }
  return text;
}

std::string page_of_command(const CommandDescription& command, const CommandDescription& program) {
  std::string text = title(command, command.text) + ".SH SYNOPSIS\n";
  if (command.commands.empty()) {
    text += synopsis(command) + entries(command, ".SH");
  } else {
    for (const CommandDescription& sub : command.commands) text += synopsis(sub);
    text += ".SH COMMANDS\n";
    for (const CommandDescription& sub : command.commands) {
      text += fmt::format(".SS {}\n{}.\n{}", escaped(sub.name), escaped(sub.text), entries(sub, ""));
    }
    text += entries(command, ".SH");
  }
  return text +
         fmt::format(".SH SEE ALSO\n{} has exit statuses, environment and files.\n", reference(program));
}

/// Facts that are in no command's --help; pipeline/command_line/command_line.hpp, data/error.hpp and
/// docs/design.md define them.
constexpr const char* kConventions = R"(.SH EXIT STATUS
.TP
.B 0
Done. Images that were left out are reported and do not fail a run.
.TP
.B 1
The run failed.
.TP
.B 2
Wrong usage.
.TP
.B 3
The data does not allow it: no usable image, fewer than two classes, more broken images than allowed.
.TP
.B 130
Interrupted. The rows that were computed are cached, and the same command goes on from there. An
interrupted training goes on with \fB\-\-resume\fR.
.PP
An error is one line on standard error: what failed, where, and what to do. Results go to standard output.
.SH ENVIRONMENT
.TP
.B XDG_CACHE_HOME
The cache is the folder \fIheadstart\fR in it, unless \fB\-\-cache\fR names another one.
.SH FILES
.TP
.I ~/.cache/headstart
The cache, where XDG_CACHE_HOME is not set.
.TP
.IR OUT /model.h5
A trained model, which Keras loads as well.
.TP
.IR OUT /config.toml
All options of a run; \fB\-\-config\fR with it repeats the run.
.SH EXAMPLES
Find and train a head on a folder with one folder for each class, then label new images:
.PP
.nf
.RS 4
headstart sweep my\-images \-o my\-model
headstart predict my\-model/model.h5 new\-images > answers.csv
.RE
.fi
)";

std::string page_of_program(const CommandDescription& program) {
  std::string text = title(program, "train an image classifier on a folder of labelled images");
  text +=
      ".SH SYNOPSIS\n" + synopsis(program) + ".SH DESCRIPTION\n" + escaped(program.text) + "\n.SH COMMANDS\n";
  for (const CommandDescription& command : program.commands)
    text += fmt::format(".TP\n{}\n{}\n", reference(command), escaped(command.text));
  text += entries(program, ".SH") + kConventions + ".SH SEE ALSO\n";
  for (const CommandDescription& command : program.commands)
    text += fmt::format("{}{}\n", reference(command), &command == &program.commands.back() ? "" : ",");
  return text;
}

}  // namespace

std::vector<ManPage> man_pages(const CommandDescription& program) {
  std::vector<ManPage> pages{{page_name(program) + ".1", page_of_program(program)}};
  for (const CommandDescription& command : program.commands)
    pages.push_back({page_name(command) + ".1", page_of_command(command, program)});
  return pages;
}

}  // namespace headstart
