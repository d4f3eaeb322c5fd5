// pipeline/command_line/command_line.cpp
#include "pipeline/command_line/command_line.hpp"

#include <fmt/format.h>

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
#include "pipeline/command_line/nearest_name.hpp"
#include "pipeline/commands/commands.hpp"
#include "pipeline/commands/finetune_options.hpp"
#include "pipeline/commands/model_options.hpp"
#include "pipeline/commands/shared_options.hpp"
#include "pipeline/commands/training_options.hpp"
#include "pipeline/options/config.hpp"
#include "pipeline/options/option_kinds.hpp"
#include "pipeline/options/options.hpp"
#include "pipeline/options/quantities.hpp"
#include "pipeline/process/interrupt.hpp"
#include "pipeline/process/processes.hpp"
#include "pipeline/process/threads.hpp"
#include "pipeline/rows/shard_option.hpp"

namespace headstart {
namespace {

struct General {
  int threads = available_threads();
  bool quiet = false;
  bool verbose = false;
};

void add_general(CLI::App& app, General& general) {
  add_number(app, "--threads", general.threads, 1, 4096, "Threads of every pool")->group("General");
  CLI::Option* quiet =
      app.add_flag("--quiet", general.quiet, "Only warnings and errors on stderr")->group("General");
  quiet->configurable(false);
  app.add_flag("--verbose", general.verbose, "Every reject and every decoder warning on stderr")
      ->group("General")
      ->excludes(quiet)
      ->configurable(false);
  app.footer(
      "  --config FILE.toml                Options from a file, as OUT/config.toml of a run has them\n"
      "                                    (section [" +
      app.get_name() + "]); the command line wins");
}

/// How the processes of one MPI launch run a command.
enum class Together {
  kNo,         // each runs the command alone
  kAsOne,      // all do the same, and one prints the results
  kShareWork,  // each does a part, and prints the warnings of that part
};

/// A subcommand, whose options live as long as the program's App.
struct Command {
  CLI::App* app;
  General general;
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
  CLI::App* train_app = nullptr;  // its options go to OUT/config.toml
  CLI::App* sweep_app = nullptr;
  CLI::App* finetune_app = nullptr;
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

Command& add_command(Program& program, CLI::App& parent, const std::string& name,
                     const std::string& description, std::function<void(const Session&)> run) {
  CLI::App* app = parent.add_subcommand(name, description);
  app->fallthrough();        // so that --config may come after the command
  app->configurable(false);  // a section of the file sets options and does not choose the command
  program.commands.push_back(std::make_unique<Command>(Command{app, {}, std::move(run), Together::kNo}));
  Command& command = *program.commands.back();
  return command;
}

void finish_command(Command& command) { add_general(*command.app, command.general); }

/// The first options of every command that trains.
void add_run_options(CLI::App& app, RunOptions& options) {
  add_dataset(app, options.dataset, options.stage_one.images);
  app.add_option("-o,--out", options.out,
                 "Folder for model.h5, metrics.json, report.html and more; replaced as a whole")
      ->required()
      ->type_name("OUT");
  add_network(app, options.stage_one.network, options.stage_one.weights);
  add_engine(app, options.stage_one);
  app.add_flag("--dry-run", options.dry_run, "Only list what would be done")->configurable(false);
}

/// --features instead of a dataset: the file contains the results of stage one.
void add_features(CLI::App& app, TrainOptions& options) {
  CLI::Option* dataset = app.get_option("dataset")->required(false);
  CLI::Option* features =
      app.add_option("--features", options.features,
                     "Rows and labels that `headstart cache export` wrote, in place of a dataset")
          ->type_name("FILE.h5")
          ->excludes(dataset);
  for (const char* name :
       {"--network", "--tap", "--views", "--cache", "--engine", "--batch-size", "--rehash", "--storage"})
    features->excludes(app.get_option(name));
  for (CLI::Option* option : app.get_options([](const CLI::Option* o) { return o->get_group() == "Images"; }))
    features->excludes(option);
}

/// config.toml of a run: its options, without those that --features excludes.
Config config_of_run(const CLI::App& app) {
  Config config = config_of(app);
  // The files of a default run stay those of the versions that had one network.
  if (app.get_option("--network")->as<std::string>() == vgg16().name) config.erase("network");
  const CLI::Option* features = app.get_option_no_throw("--features");
  if (features != nullptr && features->count() > 0) {
    for (const CLI::Option* option : features->get_excludes()) config.erase(option->get_single_name());
  }
  return config;
}

/// Adds train or sweep. Both are one command with different options, which `add_own` adds.
CLI::App& add_run(Program& program, TrainOptions& options, const std::string& name,
                  const std::string& description, void (*add_own)(CLI::App&, TrainOptions&)) {
  Command& command = add_command(program, program.app, name, description,
                                 [&](const Session& session) { run_train(options, session); });
  command.together = Together::kAsOne;
  CLI::App& app = *command.app;
  add_run_options(app, options);
  add_own(app, options);
  add_extractor(app, options.stage_one);
  add_features(app, options);
  finish_command(command);
  return app;
}

CLI::App& add_finetune_command(Program& program) {
  FinetuneOptions& options = program.finetune;
  Command& command = add_command(program, program.app, "finetune",
                                 "Train the network's top blocks together with the head of a trained model",
                                 [&](const Session& session) { run_finetune(options, session); });
  CLI::App& app = *command.app;
  add_run_options(app, options);
  add_finetune(app, options);
  add_admission(app, options.stage_one.images);
  finish_command(command);
  return app;
}

/// Adds `cache list` or another command that reads the whole cache.
void add_cache_command(Program& program, CLI::App& cache, const std::string& name,
                       const std::string& description, void (*run)(const CacheOptions&, const Session&)) {
  CacheOptions& options = program.cache;
  Command& command = add_command(program, cache, name, description,
                                 [&options, run](const Session& session) { run(options, session); });
  add_cache(*command.app, options.cache);
  finish_command(command);
}

/// Adds an option whose number has a unit.
template <typename T>
void add_quantity(CLI::App& app, const std::string& name, std::optional<T>& target,
                  std::optional<T> (*parse)(std::string_view), const std::string& examples,
                  const std::string& text) {
  app.add_option_function<std::string>(
         name,
         [&target, parse, name, examples](const std::string& value) {
           target = parse(value);
           if (!target)
             throw CLI::ValidationError(name,
                                        fmt::format("is '{}', needed something like {}", value, examples));
         },
         text)
      ->type_name(examples);
}

void add_cache_export(Program& program, CLI::App& cache) {
  CacheExportOptions& options = program.cache_export;
  Command& command = add_command(program, cache, "export",
                                 "Write the features, labels and paths of a dataset to one HDF5 file",
                                 [&](const Session& session) { run_cache_export(options, session); });
  CLI::App& app = *command.app;
  add_dataset(app, options.dataset, options.stage_one.images);
  app.add_option("-o,--out", options.out, "The file to write, for h5py or scikit-learn")
      ->required()
      ->type_name("FILE.h5");
  add_choice(app, "--tap", options.tap, tap_names(), "The activations that become features");
  add_choice(app, "--pooling", options.pooling, pooling_names(), "All of a map, or one number a channel");
  add_choice(app, "--dtype", options.type, feature_type_names(),
             "How they are stored; float16 errs by up to 0.05 %");
  add_network(app, options.stage_one.network, options.stage_one.weights);
  add_engine(app, options.stage_one);
  add_extractor(app, options.stage_one);
  finish_command(command);
}

void add_cache_commands(Program& program) {
  CLI::App* cache = program.app.add_subcommand("cache", "Look into the cache, check it, tidy it");
  cache->fallthrough()->configurable(false)->require_subcommand(1);
  add_cache_command(
      program, *cache, "list",
      "What is cached, as its indexes have it (verify reads the rows): one line for each extractor "
      "configuration and tap",
      run_cache_list);
  add_cache_command(program, *cache, "verify",
                    "Read everything and name every damaged segment; exit code 1 if there is one",
                    run_cache_verify);
  add_cache_command(program, *cache, "compact", "Merge small segments, as extract does by itself in time",
                    run_cache_compact);
  add_cache_export(program, *cache);
  CachePruneOptions& options = program.cache_prune;
  Command& command = add_command(program, *cache, "prune", "Remove segments; all that is given has to hold",
                                 [&](const Session& session) { run_cache_prune(options, session); });
  CLI::App& app = *command.app;
  add_cache(app, options.cache);
  add_quantity(app, "--older-than", options.prune.older_than_s, parse_duration, "30d",
               "Those written so long ago: s, m, h, d or w");
  app.add_option("--fingerprint", options.prune.fingerprint,
                 "Those of this extractor configuration (cache list)")
      ->type_name("HEX");
  add_quantity(app, "--max-size", options.prune.max_bytes, parse_bytes, "20GB",
               "The oldest, until the rest is no larger");
  app.add_flag("--dry-run", options.prune.dry_run, "Only say what would be removed")->configurable(false);
  finish_command(command);
}

void add_commands(Program& program) {
  CLI::App& root = program.app;
  program.train_app = &add_run(program, program.train, "train",
                               "Train a classifier on a folder of labelled images", add_training);
  program.sweep.sweep.emplace();
  program.sweep_app = &add_run(
      program, program.sweep, "sweep",
      "Find the best representation and head by cross-validation on the cache, then train it", add_sweep);
  program.finetune_app = &add_finetune_command(program);
  {
    ExtractOptions& options = program.extract;
    Command& command =
        add_command(program, root, "extract", "Compute and cache the features of a dataset, train nothing",
                    [&](const Session& session) { run_extract(options, session); });
    command.together = Together::kShareWork;
    CLI::App& app = *command.app;
    add_dataset(app, options.dataset, options.stage_one.images);
    app.add_option_function<std::vector<std::string>>(
           "--tap",
           [&options](const std::vector<std::string>& names) {
             options.taps.clear();
             for (const std::string& name : names) {
               const Tap tap = named("--tap", name, tap_names());
               if (std::find(options.taps.begin(), options.taps.end(), tap) == options.taps.end())
                 options.taps.push_back(tap);
             }
           },
           "Activations to cache, with commas between, all in one pass: block1_pool ... block5_pool")
        ->type_name("TAP,...")
        ->delimiter(',')
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
        ->default_str("block5_pool");
    add_views(app, options.views, "Random crops and flips of each image to cache as well");
    app.add_option_function<std::string>(
           "--shard",
           [&options](const std::string& text) {
             options.shard = parse_shard(text);
             if (!options.shard)
               throw CLI::ValidationError(
                   "--shard", fmt::format("is '{}', needed K/N with K from 0 to N-1, or none", text));
           },
           "Only part K of N (K from 0 to N-1), drawn by path; none: all of it [the part that srun, a job "
           "array, an indexed job or an mpirun that cannot share the work says]")
        ->type_name("K/N|none");
    add_network(app, options.stage_one.network, options.stage_one.weights);
    add_engine(app, options.stage_one);
    app.add_flag("--dry-run", options.dry_run, "Only list what would be done")->configurable(false);
    add_extractor(app, options.stage_one);
    finish_command(command);
  }
  {
    InspectOptions& options = program.inspect;
    Command& command =
        add_command(program, root, "inspect",
                    "Look for copies, wrong labels, outliers and overlapping classes before training",
                    [&](const Session& session) { run_inspect(options, session); });
    CLI::App& app = *command.app;
    add_dataset(app, options.dataset, options.stage_one.images);
    app.add_option("-o,--out", options.json, "Write everything to this file as well, as JSON")
        ->type_name("FILE");
    add_number(app, "--threshold", options.threshold, 0, 1,
               "Cosine above which two images are near-duplicates");
    add_number(app, "--top", options.top, 0, 1e6, "Lines of each table; the file has all");
    add_network(app, options.stage_one.network, options.stage_one.weights);
    add_engine(app, options.stage_one);
    app.add_flag("--dry-run", options.dry_run, "Only list what would be done")->configurable(false);
    add_extractor(app, options.stage_one);
    finish_command(command);
  }
  {
    Command& command = add_command(program, root, "evaluate", "Measure a saved model on labelled images",
                                   [&](const Session& session) { run_evaluate(program.evaluate, session); });
    add_evaluate(*command.app, program.evaluate);
    finish_command(command);
  }
  {
    Command& command = add_command(program, root, "predict", "Label new images",
                                   [&](const Session& session) { run_predict(program.predict, session); });
    add_predict(*command.app, program.predict);
    finish_command(command);
  }
  {
    Command& command = add_command(
        program, root, "export", "Write a saved model, its preprocessing inside, for other programs",
        [&](const Session& session) { run_export(program.model_export, session); });
    add_export(*command.app, program.model_export);
    finish_command(command);
  }
  add_cache_commands(program);
  {
    Command& command =
        add_command(program, root, "info", "Engines found and chosen, versions, weights, cache location",
                    [&](const Session& session) { run_info(program.info, session); });
    add_cache(*command.app, program.info.cache);
    add_network(*command.app, program.info.network, program.info.weights);
    finish_command(command);
  }
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
      "  headstart train my-images -o my-model       my-images has one folder for each class\n"
      "  headstart predict my-model/model.h5 new-images > labels.csv\n"
      "Each command has a --help of its own.");
  add_commands(program);
}

/// Parses the arguments into `program`. If there is a configuration file, missing options are no error here:
/// the file may have them, and the arguments are parsed again with it.
void parse(Program& program, int argc, const char* const* argv) {
  build(program);
  try {
    program.app.parse(argc, argv);
  } catch (const CLI::Success&) {
    throw;
  } catch (const CLI::ParseError&) {
    if (program.config_file->count() == 0 || program.app.get_subcommands().empty()) throw;
  }
}

/// The option or command of `app` that the user probably meant by `word`; empty if there is none.
std::string nearest(const CLI::App& app, const std::string& word) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options([](const CLI::Option*) { return true; })) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(sub->get_name());
  }
  return nearest_name(word, names);
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
      if (const std::string name = nearest(app, word.substr(0, word.find('='))); !name.empty()) {
        what += fmt::format(" (did you mean {}?)", name);
      }
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
        const std::optional<std::string>& warning) {
  const General& general = command.general;
  const bool leads = processes == nullptr || processes->rank() == 0;
  const bool silent = !leads && command.together == Together::kAsOne;
  Console console(silent            ? Verbosity::kSilent
                  : general.quiet   ? Verbosity::kQuiet
                  : general.verbose ? Verbosity::kVerbose
                  : leads           ? Verbosity::kNormal
                                    : Verbosity::kQuiet);
  if (warning) console.warn(*warning);
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
    command.run(Session{console, general.threads, processes, config_file});
    flush_stdout();
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
  std::optional<std::string> warning;
  try {
    parse(*program, argc, argv);
    if (program->config_file->count() > 0) {
      const std::unique_ptr<Program> typed = std::exchange(program, std::make_unique<Program>());
      build(*program);
      config_file = typed->config_file->as<std::string>();
      warning = apply_config(config_file, typed->app, program->app, path_of_command(typed->app));
      program->app.parse(argc, argv);
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
  program->train.config = config_of_run(*program->train_app);
  program->finetune.config = config_of_run(*program->finetune_app);
  program->sweep.config = config_of_run(*program->sweep_app);
  std::unique_ptr<Processes> processes;  // destroyed only after an error was printed
  try {
    resolve_training(program->train);
    resolve_training(program->sweep);
    const Together together = (*command)->together;
    if (together == Together::kAsOne || (together == Together::kShareWork && can_share_work()))
      processes = join_processes();
    return run(**command, processes.get(), config_file, warning);
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
        "out of memory: this machine: use fewer hidden units, a smaller --batch-size or a smaller dataset",
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
