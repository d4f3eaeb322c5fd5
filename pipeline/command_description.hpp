// pipeline/command_description.hpp: the command line as values, read off the parser itself: what manual pages
// and shell completion are made from, so that they cannot say anything else than --help.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace headstart {

/// What stands behind an option, as far as a shell can complete it.
enum class ValueKind {
  kNone,    ///< nothing: a flag
  kText,    ///< a number, a share, a list
  kChoice,  ///< one of a few words
  kFile,
  kFolder,
};

/// An option, or an argument without a name of its own.
struct OptionDescription {
  std::vector<std::string> names;  ///< {"-o", "--out"}; of an argument what --help calls it: {"dataset"}
  std::string value;               ///< "N", "FILE", "auto|native"; empty for flags and arguments
  std::string text;
  std::string default_value;  ///< the value that it has if it is not given; may be empty
  std::string group;          ///< the heading that --help shows it under
  ValueKind kind = ValueKind::kText;
  std::vector<std::string> choices;  ///< of kChoice
  bool repeated = false;             ///< an argument that may be given several times
};

/// The program, or one of its commands.
struct CommandDescription {
  std::string name;   ///< "headstart cache list"
  std::string usage;  ///< "headstart cache list [options]"
  std::string text;
  std::vector<OptionDescription> arguments;
  std::vector<OptionDescription> options;  ///< its own, and those of the program that take a value
  std::vector<CommandDescription> commands;

  /// "list".
  [[nodiscard]] std::string last_name() const;
};

/// Everything that --help shows of `app` and its subcommands.
[[nodiscard]] CommandDescription describe(const CLI::App& app);

}  // namespace headstart
