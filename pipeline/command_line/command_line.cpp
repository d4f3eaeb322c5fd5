// pipeline/command_line/command_line.cpp
#include "pipeline/command_line/command_line.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <functional>
#include <iostream>
#include <limits>
#include <memory>
#include <new>
#include <optional>
#include <utility>
#include <vector>

#include "data/error.hpp"
#include "pipeline/command_line/command_description.hpp"
#include "pipeline/command_line/config_options.hpp"
#include "pipeline/command_line/help_formatter.hpp"
#include "pipeline/command_line/option_parser.hpp"
#include "pipeline/command_line/suggestion.hpp"
#include "pipeline/commands/commands.hpp"
#include "pipeline/options/general_options.hpp"
#include "pipeline/process/interrupt.hpp"
#include "pipeline/process/processes.hpp"
#include "pipeline/process/threads.hpp"

namespace headstart {
namespace {

/// A command of the parser.
struct ParsedCommand {
  CLI::App* app = nullptr;
  Command command;
  GeneralOptions general{};
};

/// All variables that parsing fills.
struct Program {
  CLI::App app{
      "A folder of labelled images in, a trained classifier out: VGG features, computed once and cached; a "
      "dense head trained on them in seconds."};
  CLI::Option* config_file = nullptr;
  std::vector<std::unique_ptr<ParsedCommand>> commands;
};

/// Refuses options that the search of `train --auto` decides: the user could take the search's value for the
/// given one.
void refuse_searched(const CLI::App& app, const OptionList& list) {
  const CLI::Option& automatic = *app.get_option("--auto");
  if (automatic.count() == 0 || !automatic.as<bool>()) return;  // config.toml has auto = false
  std::vector<std::string> given;
  for (const Option& option : list.options()) {
    const std::string name = fmt::format("--{}", option.facts.name);
    if (option.facts.searched && app.count(name) > 0) given.push_back(name);
  }
  if (given.empty()) return;
  throw CLI::ValidationError("--auto", fmt::format("decides {} by itself: leave out the one or the other, or "
                                                   "search among values of your own with headstart sweep",
                                                   fmt::join(given, ", ")));
}

/// The parser of `group`, which has commands of its own.
CLI::App& group_of(CLI::App& root, const std::string& group) {
  const auto known = root.get_subcommands([&](const CLI::App* app) { return app->get_name() == group; });
  if (!known.empty()) return *known.front();
  CLI::App& app = *root.add_subcommand(group, "Look into the cache, check it, tidy it");
  app.fallthrough()->configurable(false)->require_subcommand(1);
  return app;
}

/// @param threads  what --threads is without the option
void add_command(Program& program, Command command, int threads) {
  const std::size_t blank = command.name.find(' ');
  CLI::App& parent =
      blank == std::string::npos ? program.app : group_of(program.app, command.name.substr(0, blank));
  const std::string name = blank == std::string::npos ? command.name : command.name.substr(blank + 1);
  CLI::App& app = *parent.add_subcommand(name, command.purpose);
  app.fallthrough();        // so that --config may come after the command
  app.configurable(false);  // a section of the file sets options and does not choose the command
  ParsedCommand& parsed = *program.commands.emplace_back(
      std::make_unique<ParsedCommand>(ParsedCommand{.app = &app, .command = std::move(command)}));
  parsed.general.threads = threads;
  OptionList& options = parsed.command.options;
  describe_general(options, parsed.general);
  add_options(app, options);
  if (options.find("auto") != nullptr)
    app.final_callback([&app, &options] { refuse_searched(app, options); });
  app.footer(
      "  --config FILE.toml                Options from a file, as OUT/config.toml of a run has them\n"
      "                                    (section [" +
      name + "]); the command line wins");
}

/// Builds the whole command line; nothing is parsed yet.
void build(Program& program) {
  CLI::App& app = program.app;
  app.name("headstart");
  app.formatter(std::make_shared<HelpFormatter>());
  app.set_version_flag("--version", std::string("headstart ") + HEADSTART_VERSION);
  app.set_help_flag("-h,--help", "This text");
  app.option_defaults()->multi_option_policy(
      CLI::MultiOptionPolicy::TakeLast);  // options after a shell alias replace those of the alias
  program.config_file = app.add_option("--config", "Options from a file; see OUT/config.toml of any run")
                            ->type_name("FILE.toml");
  app.require_subcommand(1);
  app.footer(
      "To begin with:\n"
      "  headstart sweep my-images -o my-model       my-images has one folder for each class\n"
      "  headstart predict my-model/model.h5 new-images > answers.csv\n"
      "Each command has a --help of its own.");
  const int threads = available_threads();  // reads a dozen files
  for (Command (*command)() : kCommands) add_command(program, command(), threads);
}

/// @param arguments  without the program's name
void parse_arguments(Program& program, const std::vector<std::string>& arguments) {
  std::vector<std::string> from_the_end(arguments.rbegin(), arguments.rend());
  program.app.parse(std::move(from_the_end));
}

/// Parses the arguments into `program`. If there is a configuration file, missing options are no error here:
/// the file may have them, and the arguments are parsed again with it.
void parse(Program& program, const std::vector<std::string>& arguments) {
  build(program);
  try {
    parse_arguments(program, arguments);
  } catch (const CLI::Success&) {
    throw;
  } catch (const CLI::ParseError&) {
    if (program.config_file->count() == 0 || program.app.get_subcommands().empty()) throw;
  }
}

/// What the user probably meant by `word`; empty if there is nothing like it.
std::string advice_on(const CLI::App& app, const std::string& word) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options([](const CLI::Option*) { return true; })) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(sub->get_name());
  }
  return suggestion(word, names);
}

/// The innermost command on the command line.
const CLI::App& named_command(const CLI::App& app) {
  const auto subcommands = app.get_subcommands();
  return subcommands.empty() ? app : named_command(*subcommands.front());
}

std::vector<std::string> path_of_command(const CLI::App& app) {
  std::vector<std::string> path;
  for (const CLI::App* at = &named_command(app); at->get_parent() != nullptr; at = at->get_parent())
    path.insert(path.begin(), at->get_name());
  return path;
}

DescribedCommands described_commands(const Program& program) {
  DescribedCommands commands;
  for (const auto& command : program.commands) commands.emplace(command->app, &command->command.options);
  return commands;
}

/// Prints on stderr and ignores errors: a log on a full disk must not change how a run ends.
void tell(std::string_view what) {
  const std::string line = fmt::format("headstart: {}\n", what);
  std::fwrite(line.data(), 1, line.size(), stderr);
}

std::string command_name(const CLI::App& app) {
  return app.get_parent() == nullptr ? app.get_name()
                                     : command_name(*app.get_parent()) + " " + app.get_name();
}

int usage_error(const CLI::App& root, const CLI::ParseError& error) {
  const CLI::App& app = named_command(root);
  std::string what = error.what();
  std::replace(what.begin(), what.end(), '\n', ' ');
  const std::vector<std::string> unknown = root.remaining(true);
  if (what == "A subcommand is required") what = "a command is needed";
  if (!unknown.empty()) {
    what = "unknown argument";
    for (const std::string& word : unknown) {
      what += fmt::format(" '{}'", printable(word));
      if (const std::string advice = advice_on(app, word.substr(0, word.find('='))); !advice.empty())
        what += fmt::format(" ({})", advice);
    }
  }
  tell(fmt::format("error: wrong usage: {}: see {} --help", what, command_name(app)));
  return exit_code(Error::Kind::kUsage);
}

int fail(std::string_view message, int code) {
  tell(fmt::format("error: {}", message));
  return code;
}

void flush_stdout() {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return;
  throw Error{Error::Kind::kFailed, "cannot write the results",
              fmt::format("standard output: {}", std::strerror(errno)), "make room there"};
}

/// Prints the text of --help or --version.
int print_help(const CLI::App& app, const CLI::Success& success) {
  const int code = app.exit(success);
  std::cout.flush();  // into stdout, whose flush reports write errors
  try {
    flush_stdout();
  } catch (const Error& error) {
    return fail(error.what(), exit_code(error.kind()));
  }
  return code;
}

/// @param processes  the processes that run the command together; null: this process is alone
int run(const ParsedCommand& parsed, Processes* processes, const std::string& config_file,
        const std::vector<std::string>& warnings) {
  const Command& command = parsed.command;
  const GeneralOptions& general = parsed.general;
  const bool leads = processes == nullptr || processes->rank() == 0;
  const bool silent = !leads && command.together == Together::kAsOne;
  Console console(silent            ? Verbosity::kSilent
                  : general.quiet   ? Verbosity::kQuiet
                  : general.verbose ? Verbosity::kVerbose
                  : leads           ? Verbosity::kNormal
                                    : Verbosity::kQuiet);
  for (const std::string& warning : warnings) console.warn(warning);
  const ThreadLimit limit(general.threads);
  catch_interrupts();
  std::optional<InterruptDeadline> deadline;
  if (processes == nullptr) deadline.emplace();
  // Messages of all processes are printed once. A failure of one process alone is printed by that process.
  const auto mute = [&](std::FILE* stream) {
    if (!leads && std::freopen("/dev/null", "w", stream) == nullptr) throw std::bad_alloc();
  };
  mute(stdout);
  try {
    Timings timings(pass::kStart);
    command.run(Session{console, general.threads, processes, config_file, &timings});
    flush_stdout();
    if (leads && timings.passes().size() > 1) console.detail(timings.table());
  } catch (...) {
    if (processes != nullptr && processes->all_fail()) mute(stderr);
    throw;
  }
  return 0;
}

}  // namespace

int run_command_line(int argc, const char* const* argv) {
  auto program = std::make_unique<Program>();
  std::string config_file;
  std::vector<std::string> warnings;
  const std::vector<std::string> arguments = with_hyphens({argv + 1, argv + std::max(argc, 1)});
  try {
    parse(*program, arguments);
    if (program->config_file->count() > 0) {
      const std::unique_ptr<Program> typed = std::exchange(program, std::make_unique<Program>());
      build(*program);
      config_file = typed->config_file->as<std::string>();
      warnings = apply_config(config_file, typed->app, program->app, described_commands(*program),
                              path_of_command(typed->app));
      parse_arguments(*program, arguments);
    }
  } catch (const CLI::Success& success) {
    return print_help(program->app, success);
  } catch (const CLI::ParseError& error) {
    return usage_error(program->app, error);
  } catch (const Error& error) {
    return fail(error.what(), exit_code(error.kind()));
  }
  const CLI::App& chosen = named_command(program->app);
  const auto command = std::find_if(program->commands.begin(), program->commands.end(),
                                    [&](const auto& candidate) { return candidate->app == &chosen; });
  std::unique_ptr<Processes> processes;  // destroyed only after an error was printed
  try {
    const Together together = (*command)->command.together;
    if (together == Together::kAsOne || (together == Together::kShareWork && can_share_work()))
      processes = join_processes();
    return run(**command, processes.get(), config_file, warnings);
  } catch (const Error& error) {
    return fail(error.what(), exit_code(error.kind()));
  } catch (const Interrupted& interrupted) {
    tell(interrupted.what());
    return 130;
  } catch (const Cancelled&) {
    fmt::print(stderr, "headstart: {}\n", kInterruptedText);
    return 130;
  } catch (const std::bad_alloc&) {
    return fail(
        "out of memory: this machine: use fewer hidden units, a smaller --engine-batch or a smaller dataset",
        1);
  } catch (const std::exception& error) {
    return fail(
        fmt::format("unexpected failure: {}: please report it with the command that you ran", error.what()),
        1);
  }
}

CommandDescription describe_command_line() {
  Program program;
  build(program);
  for (const auto& command : program.commands) {
    // The page must be true on every machine, so it does not show the number of this one.
    command->app->get_option("--threads")->default_str("as many as the process may use");
  }
  return describe(program.app);
}

}  // namespace headstart
