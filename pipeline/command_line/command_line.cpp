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
#include "pipeline/options/options.hpp"
#include "pipeline/options/training_options.hpp"
#include "pipeline/process/interrupt.hpp"
#include "pipeline/process/processes.hpp"
#include "pipeline/process/threads.hpp"

namespace headstart {
namespace {

/// How the processes of one MPI launch run a command.
enum class Together {
  kNo,         // each runs the command alone
  kAsOne,      // all do the same, and one prints the results
  kShareWork,  // each does a part, and prints the warnings of that part
};

/// A subcommand, whose options live as long as the program's App.
struct Command {
  CLI::App* app = nullptr;
  GeneralOptions general;
  OptionList options;
  std::function<void(const Session&)> run;
  Together together = Together::kNo;
};

/// All variables that parsing fills.
struct Program {
  CLI::App app{
      "A folder of labelled images in, a trained classifier out: VGG features, computed once and cached; a "
      "dense head "
      "trained on them in seconds."};
  CLI::Option* config_file = nullptr;
  std::vector<std::unique_ptr<Command>> commands;
  TrainOptions train;
  TrainOptions sweep;
  FinetuneOptions finetune;
  ExtractOptions extract;
  InspectOptions inspect;
  EvaluateOptions evaluate;
  PredictOptions predict;
  ExportOptions model_export;
  CacheOptions cache;
  CachePruneOptions cache_prune;
  CacheExportOptions cache_export;
  InfoOptions info;
};

/// The name and the purpose of a command, as --help shows them.
struct CommandText {
  const char* name;
  const char* purpose;
};

/// Adds a command that sets `options` as `describe` has them, and then runs.
template <typename Options>
Command& add_command(Program& program, CLI::App& parent, const CommandText& text, Options& options,
                     void (*describe)(OptionList&, Options&), void (*run)(const Options&, const Session&)) {
  CLI::App* app = parent.add_subcommand(text.name, text.purpose);
  app->fallthrough();        // so that --config may come after the command
  app->configurable(false);  // a section of the file sets options and does not choose the command
  program.commands.push_back(std::make_unique<Command>());
  Command& command = *program.commands.back();
  command.app = app;
  command.run = [&options, run](const Session& session) { run(options, session); };
  command.general.threads = available_threads();
  describe(command.options, options);
  describe_general(command.options, command.general);
  add_options(*app, command.options);
  app->footer(
      "  --config FILE.toml                Options from a file, as OUT/config.toml of a run has them\n"
      "                                    (section [" +
      app->get_name() + "]); the command line wins");
  return command;
}

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

void add_training_commands(Program& program) {
  CLI::App& root = program.app;
  Command& train = add_command(program, root, {"train", "Train a classifier on a folder of labelled images"},
                               program.train, describe_train, run_train);
  train.together = Together::kAsOne;
  train.app->final_callback([&train] { refuse_searched(*train.app, train.options); });
  program.sweep.sweep.emplace();
  add_command(program, root,
              {"sweep",
               "Find the best representation and head by cross-validation on the cache, then train it. Made "
               "for hundreds to a few thousand images; with more, give fewer values to try"},
              program.sweep, describe_sweep, run_train)
      .together = Together::kAsOne;
  add_command(program, root,
              {"finetune", "Train the network's top VGG blocks together with the head of a trained model"},
              program.finetune, describe_finetune, run_finetune);
  add_command(program, root, {"extract", "Compute and cache the features of a dataset, train nothing"},
              program.extract, describe_extract, run_extract)
      .together = Together::kShareWork;
}

void add_cache_commands(Program& program) {
  CLI::App& cache = *program.app.add_subcommand("cache", "Look into the cache, check it, tidy it");
  cache.fallthrough()->configurable(false)->require_subcommand(1);
  add_command(
      program, cache,
      {"list",
       "What is cached, as its indexes have it (verify reads the rows): one line for each fingerprint "
       "and tap"},
      program.cache, describe_cache, run_cache_list);
  add_command(program, cache,
              {"verify", "Read everything and name every damaged segment; exit code 1 if there is one"},
              program.cache, describe_cache, run_cache_verify);
  add_command(program, cache, {"compact", "Merge small segments, as extract does by itself in time"},
              program.cache, describe_cache, run_cache_compact);
  add_command(program, cache,
              {"export", "Write the features, labels and paths of a dataset to one HDF5 file"},
              program.cache_export, describe_cache_export, run_cache_export);
  add_command(program, cache, {"prune", "Remove segments; all that is given has to hold"},
              program.cache_prune, describe_cache_prune, run_cache_prune);
}

void add_commands(Program& program) {
  CLI::App& root = program.app;
  add_training_commands(program);
  add_command(program, root,
              {"inspect", "Look for copies, wrong labels, outliers and overlapping classes before training"},
              program.inspect, describe_inspect, run_inspect);
  add_command(program, root, {"evaluate", "Measure a saved model on labelled images"}, program.evaluate,
              describe_evaluate, run_evaluate);
  add_command(program, root, {"predict", "Label new images"}, program.predict, describe_predict, run_predict);
  add_command(program, root, {"export", "Write a saved model, its preprocessing inside, for other programs"},
              program.model_export, describe_export, run_export);
  add_cache_commands(program);
  add_command(program, root, {"info", "Engines found and chosen, versions, weights, cache location"},
              program.info, describe_info, run_info);
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
  add_commands(program);
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
  for (const auto& command : program.commands) commands.emplace(command->app, &command->options);
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
int run(const Command& command, Processes* processes, const std::string& config_file,
        const std::vector<std::string>& warnings) {
  const GeneralOptions& general = command.general;
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
    resolve_training(program->train);
    resolve_training(program->sweep);
    const Together together = (*command)->together;
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
