// pipeline/commands/training_options.cpp
#include "pipeline/commands/training_options.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>

#include "data/error.hpp"
#include "features/extraction/extractor.hpp"
#include "pipeline/commands/sweep.hpp"

namespace headstart {
namespace {

const Names<Solver> kSolvers{{"auto", Solver::kAuto}, {"gram", Solver::kGram}, {"primal", Solver::kPrimal}};
const Names<Transform> kTransforms{{"none", Transform::kNone},
                                   {"unit", Transform::kUnit},
                                   {"scale", Transform::kScale},
                                   {"standardize", Transform::kStandardize}};

constexpr double kUnlimited = std::numeric_limits<std::int32_t>::max();

constexpr const char* kGroup = "Training";

template <typename T>
CLI::Option* add(CLI::App& app, const std::string& name, T& target, double low, double high,
                 const std::string& text) {
  return add_number(app, name, target, low, high, text)->group(kGroup);
}

// The options that a search does not decide.
void add_common(CLI::App& app, TrainOptions& options) {
  TrainingOptions& t = options.training;
  add_choice(app, "--tap", options.tap, tap_names(), "The activations that become features")->group(kGroup);
  add(app, "--validation", options.validation, 0, 0.99,
      "Share of each class held out, where the dataset gives no split");
  add(app, "--batch", t.batch, 1, kUnlimited, "Training images in one step");
  add_steps(app, options);
  add(app, "--views", options.views, 0, kMaxViews,
      "Random crops and flips of each training image to train on as well; cached like images");
  add(app, "--seed", t.seed, 0, 9e15, "Seed of the split, the initial weights and the order");
}

// Adds an option with several values, separated by commas; `parse` reads each value.
template <typename T, typename Parse>
void add_list(CLI::App& app, const std::string& name, std::vector<T>& target, const std::string& type,
              const std::string& preset, const std::string& text, Parse parse) {
  app.add_option_function<std::vector<std::string>>(
         name,
         [&target, parse](const std::vector<std::string>& words) {
           target.clear();
           for (const std::string& word : words) target.push_back(parse(word));
         },
         text)
      ->type_name(type)
      ->delimiter(',')
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->default_str(preset)
      ->group("Search");
}

template <typename T>
T number(const std::string& option, const std::string& word, double low, double high) {
  T value{};
  if (!CLI::detail::lexical_cast(word, value) ||
      !(static_cast<double>(value) >= low && static_cast<double>(value) <= high)) {
    throw CLI::ValidationError(option, fmt::format("is '{}', needed {} to {}", word, low, high));
  }
  return value;
}

// Refuses options that the search decides: the user could take the search's value for the given one.
void refuse_searched(const CLI::App& app) {
  const CLI::Option& automatic = *app.get_option("--auto");
  if (automatic.count() == 0 || !automatic.as<bool>()) return;  // config.toml has auto = false
  std::vector<std::string> given;
  for (const char* name : kSearchedOptions) {
    if (app.count(name) > 0) given.emplace_back(name);
  }
  if (given.empty()) return;
  throw CLI::ValidationError("--auto", fmt::format("decides {} by itself: leave out the one or the other, or "
                                                   "search among values of your own with headstart sweep",
                                                   fmt::join(given, ", ")));
}

// "0" is linear, "512+128" means two layers.
std::vector<int> widths(const std::string& word) {
  std::vector<int> result;
  for (std::size_t first = 0; first <= word.size();) {
    const std::size_t end = std::min(word.find('+', first), word.size());
    result.push_back(number<int>("--hidden", word.substr(first, end - first), 0, 65536));
    first = end + 1;
  }
  if (result == std::vector<int>{0}) return {};
  if (std::find(result.begin(), result.end(), 0) != result.end()) {
    throw CLI::ValidationError("--hidden",
                               fmt::format("is '{}', needed widths like 0, 256 or 512+128", word));
  }
  return result;
}

}  // namespace

const Names<Pooling>& pooling_names() {
  static const Names<Pooling> names{
      {"flatten", Pooling::kFlatten}, {"avg", Pooling::kAverage}, {"max", Pooling::kMaximum}};
  return names;
}

const Names<Tap>& tap_names() {
  static const Names<Tap> names = [] {  // the known networks have the same taps
    Names<Tap> taps;
    for (const Tap& tap : vgg16().taps) taps.emplace_back(tap.name, tap);
    return taps;
  }();
  return names;
}

void add_steps(CLI::App& app, RunOptions& options) {
  static const Names<ClassWeight> class_weights{{"none", ClassWeight::kNone},
                                                {"balanced", ClassWeight::kBalanced}};
  TrainingOptions& t = options.training;
  add(app, "--momentum", t.momentum, 0, 0.999999, "Momentum");
  app.add_flag("--nesterov", t.nesterov, "Nesterov's momentum")->group(kGroup);
  add_choice(app, "--class-weight", options.class_weight, class_weights,
             "Weigh classes alike however many images they have")
      ->group(kGroup);
  add(app, "--label-smoothing", t.label_smoothing, 0, 0.999,
      "Share of each target that is spread over all classes");
  add(app, "--dropout", t.dropout, 0, 0.999, "Share of the hidden activations that every step leaves out");
  app.add_flag("--resume", options.resume,
               "Go on from OUT.checkpoint, which a killed or interrupted run has left, to the same result")
      ->group(kGroup)
      ->configurable(false);
  add_number(app, "--checkpoint", options.checkpoint_seconds, 0, 1e9,
             "Seconds between checkpoints, at the end of an epoch; 0: after every epoch", "SECONDS")
      ->group(kGroup);
}

void add_epochs(CLI::App& app, RunOptions& options) {
  static const Names<Schedule> schedules{{"constant", Schedule::kConstant},
                                         {"step", Schedule::kStep},
                                         {"cosine", Schedule::kCosine},
                                         {"plateau", Schedule::kPlateau}};
  add(app, "--epochs", options.training.epochs, 1, kUnlimited, "Passes over the training images");
  add_choice(app, "--schedule", options.training.schedule, schedules,
             "How the learning rate changes over the epochs")
      ->group(kGroup);
}

void add_training(CLI::App& app, TrainOptions& options) {
  TrainingOptions& t = options.training;
  app.add_flag_callback(
         "--auto", [&options] { options.sweep.emplace(); },
         "Search as sweep does with its defaults first: decides pooling, transform, hidden layers, learning "
         "rate, L2, epochs, schedule, early stopping and temperature, none of which may be given then")
      ->group(kGroup);
  add_choice(app, "--pooling", options.representation.pooling, pooling_names(),
             "Every position's channels, or each channel's mean or largest value over the positions")
      ->each([&options](const std::string&) { options.pooling_given = true; })
      ->group(kGroup);
  add_choice(app, "--transform", options.representation.transform, kTransforms,
             "Rows of length one, one number for all rows, or every feature to mean 0 and deviation 1")
      ->group(kGroup);
  app.add_flag("--force", options.force,
               "Let --transform standardize work on flattened maps: 8 bytes a feature")
      ->group(kGroup);
  app.add_option("--hidden", t.hidden, "Widths of the hidden layers, with commas between; 0: none")
      ->type_name("N,...")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->default_str("1024")
      ->group(kGroup);
  add(app, "--learning-rate", t.learning_rate, 1e-12, 1e6, "Learning rate of SGD");
  add(app, "--l2", t.l2, 0, 1e6, "Lambda of lambda * sum(W^2), on kernels");
  add_epochs(app, options);
  add(app, "--early-stopping", options.early_stopping, 0, kUnlimited,
      "Stop after so many epochs without a better validation loss and keep the best epoch's weights; 0: "
      "never");
  add(app, "--window", options.window, 0, kUnlimited,
      "Flattened rows that are in memory at a time, read again in every epoch; 0: all, or what memory "
      "allows");
  add(app, "--temperature", options.temperature, 0.01, 100,
      "Divide the trained head's logits by this; sweep fits it");
  add_choice(
      app, "--solver", t.solver, kSolvers,
      "How the first layer is trained; the numbers are the same: auto takes the cheaper for the shapes")
      ->group(kGroup);
  add_common(app, options);
  app.final_callback([&app] { refuse_searched(app); });
}

void add_sweep(CLI::App& app, TrainOptions& options) {
  SweepOptions& sweep = *options.sweep;
  SearchSpace& space = sweep.space;
  add_list(app, "--poolings", space.poolings, "NAME,...", "flatten,avg,max", "Poolings to try",
           [](const std::string& word) { return named("--poolings", word, pooling_names()); });
  add_list(app, "--transforms", space.transforms, "NAME,...", "unit,scale,standardize",
           "Transforms to try; standardize is not tried on flatten",
           [](const std::string& word) { return named("--transforms", word, kTransforms); });
  add_list(app, "--hidden", space.hidden, "N,...", "0,256",
           "Heads to try: 0 is linear, 512+128 has two hidden layers", widths);
  add_list(app, "--rates", space.rates, "X,...", "0.1,0.3,1,3", "Learning rates times mean |x|^2 to try",
           [](const std::string& word) { return number<double>("--rates", word, 1e-9, 1e6); });
  add_list(app, "--l2", space.l2, "X,...", "1e-05,0.0001,0.001", "Lambdas of L2 to try",
           [](const std::string& word) { return number<double>("--l2", word, 0, 1e6); });
  add_list(app, "--rounds", sweep.rounds, "N,...", "8,24,72",
           "Epochs of each round; the best third of the candidates goes on to the next",
           [](const std::string& word) { return number<int>("--rounds", word, 1, 1e6); });
  add_number(app, "--folds", sweep.folds, 2, 1000, "Folds of the cross-validation")->group("Search");
  app.add_flag("--nested", sweep.nested,
               "Also judge the search itself, on outer folds: as many times the work as there are folds")
      ->group("Search");
  app.add_flag("--learning-curve", sweep.learning_curve,
               "Also the accuracy with fewer images a class: would more images help?")
      ->group("Search");
  add_common(app, options);
}

void check_representation(const TrainOptions& options) {
  if (options.representation == Representation{Pooling::kFlatten, Transform::kStandardize} &&
      !options.force) {
    throw Error{
        Error::Kind::kUsage, "wrong usage", "--transform standardize with --pooling flatten",
        "it makes a dense matrix, 25088 features wide at block5_pool: choose --pooling avg or max, or pass "
        "--force"};
  }
  if (options.window > 0 && options.training.solver == Solver::kGram &&
      options.representation.pooling == Pooling::kFlatten) {
    throw Error{Error::Kind::kUsage, "wrong usage", "--window with --solver gram",
                "the gram solver needs all rows in memory: leave out one of them"};
  }
}

void resolve_training(TrainOptions& options) {
  if (options.sweep) {
    const std::vector<int>& rounds = options.sweep->rounds;
    if (!std::is_sorted(rounds.begin(), rounds.end())) {
      throw Error{Error::Kind::kUsage, "wrong usage", "--rounds", "give rising numbers of epochs"};
    }
    if (candidates_of(options.sweep->space).empty()) {
      throw Error{Error::Kind::kUsage, "wrong usage", "--transforms",
                  "standardize alone is not tried on flatten: add another transform or pooling"};
    }
  }
  if (options.early_stopping > 0) options.training.early_stopping = options.early_stopping;
  if (options.features.empty()) check_representation(options);
  std::vector<int>& hidden = options.training.hidden;
  if (hidden == std::vector<int>{0}) return hidden.clear();
  if (hidden.empty() ||
      std::any_of(hidden.begin(), hidden.end(), [](int width) { return width < 1 || width > 65536; })) {
    throw Error{Error::Kind::kUsage, "wrong usage", "--hidden",
                "give widths from 1 to 65536, or 0 alone for a linear classifier"};
  }
}

}  // namespace headstart
