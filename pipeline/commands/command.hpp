// pipeline/commands/command.hpp: a command as a value: its name, its options and its work.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "pipeline/options/option.hpp"
#include "pipeline/process/session.hpp"

namespace headstart {

/// How the processes of one MPI launch run a command.
enum class Together {
  kNo,         ///< each runs the command alone
  kAsOne,      ///< all do the same, and one prints the results
  kShareWork,  ///< each does a part, and prints the warnings of that part
};

/// A command. Copies share the values of the options.
struct Command {
  std::string name;     ///< "train"; "cache list" for a command of a group
  std::string purpose;  ///< in --help
  Together together = Together::kNo;
  OptionList options{};
  /// Does the work with the values that the options have by then. Prints the results to stdout.
  /// @throws Error or Interrupted: run_command_line() turns these into one line and an exit code
  std::function<void(const Session&)> run{};
};

/// @param command   without options and run
/// @param describe  adds the options, with fields of a value that lives as long as the command
/// @param run       the work
template <typename Options>
[[nodiscard]] Command make_command(Command command,
                                   std::type_identity_t<void (*)(OptionList&, Options&)> describe,
                                   std::type_identity_t<void (*)(const Options&, const Session&)> run) {
  auto options = std::make_shared<Options>();
  describe(command.options, *options);
  command.run = [options, run](const Session& session) { run(*options, session); };
  return command;
}

}  // namespace headstart
