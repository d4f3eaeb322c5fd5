// pipeline/command_line/command_description.hpp: the command line as values, read from the parser itself.
// Manual pages and shell completion are made from these values, so they always agree with --help.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace headstart {

/// The kind of an option's value, as far as a shell can complete it.
enum class ValueKind {
  kNone,    ///< no value: a flag
  kText,    ///< a number, a share, a list
  kChoice,  ///< one word of a short list
  kFile,
  kFolder,
};

/// An option, or an argument without a name.
struct OptionDescription {
  std::vector<std::string> names;  ///< {"-o", "--out"}; for an argument its name in --help: {"dataset"}
  std::string value;               ///< "N", "FILE", "auto|native"; empty for flags and arguments
  std::string text;
  std::string default_value;  ///< the value if the option is not given; may be empty
  std::string group;          ///< its heading in --help
  ValueKind kind = ValueKind::kText;
  std::vector<std::string> choices;  ///< of kChoice
  bool repeated = false;             ///< whether an argument may be given several times
};

/// The program, or one of its commands.
struct CommandDescription {
  std::string name;   ///< "headstart cache list"
  std::string usage;  ///< "headstart cache list [options]"
  std::string text;
  std::vector<OptionDescription> arguments;
  std::vector<OptionDescription> options;  ///< its own options, and those of the program that take a value
  std::vector<CommandDescription> commands;

  /// The last word of the name: "list".
  [[nodiscard]] std::string last_name() const;
};

/// Everything that --help shows of `app` and its subcommands.
[[nodiscard]] CommandDescription describe(const CLI::App& app);

}  // namespace headstart
