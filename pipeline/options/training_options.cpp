// pipeline/options/training_options.cpp: the options of train, sweep and finetune.
#include "pipeline/options/training_options.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>

#include "data/error.hpp"
#include "features/extraction/extractor.hpp"
#include "pipeline/options/quantities.hpp"
#include "pipeline/options/stage_one_description.hpp"

namespace headstart {
namespace {

/// The first options of every command that trains.
void describe_run(OptionList& list, RunOptions& options) {
  describe_dataset(list, options.dataset, options.stage_one.images);
  list({.name = "out",
        .help = "Folder for model.h5, metrics.json, report.html and more; replaced as a whole",
        .value = "OUT",
        .letter = "o",
        .required = true,
        .harmless = true},
       options.out);
  describe_network(list, options.stage_one.network, options.stage_one.weights);
  describe_engine(list, options.stage_one);
  describe_dry_run(list, options.dry_run);
}

/// How images count, and how a run goes on after a kill.
void describe_steps(OptionList& list, RunOptions& options) {
  list({.name = "class-weight", .help = "Weigh classes alike however many images they have"},
       options.class_weight);
  list({.name = "resume",
        .help = "Go on from OUT.checkpoint, which a killed or interrupted run has left, to the same result",
        .in_config = false},
       options.resume);
  list({.name = "checkpoint",
        .help = "Seconds between checkpoints, at the end of an epoch; 0: after every epoch",
        .high = 1e9,
        .value = "SECONDS",
        .harmless = true},
       options.checkpoint_seconds);
  list({.name = "top-k",
        .help = "So many classes of each image in predictions.csv, the most probable first; 0: a column for "
                "every class, with more than 100 classes the first five",
        .high = 1e6,
        .harmless = true},
       options.top_k);
}

/// The options of train that the search does not decide.
void describe_common(OptionList& list, TrainOptions& options) {
  list.choice({.name = "tap", .help = "The activations that become features", .excluded_by = "features"},
              options.tap, tap_choices());
  list({.name = "validation",
        .help = "Share of each class held out, where the dataset gives no split",
        .high = 0.99,
        .alias = "validation-split"},
       options.validation);
  describe_views(list, options.views,
                 "Random crops and flips of each training image to train on as well; cached like images");
  describe_steps(list, options);
}

/// --features instead of a dataset: the file contains the results of stage one.
void describe_features(OptionList& list, TrainOptions& options) {
  list({.name = "features",
        .help = "Rows and labels that `headstart cache export` wrote, in place of a dataset",
        .value = "FILE"},
       options.features);
}

/// "0" is linear, "512+128" means two layers.
std::vector<int> widths_of(const std::string& word) {
  std::vector<int> result;
  for (std::size_t first = 0; first <= word.size();) {
    const std::size_t end = std::min(word.find('+', first), word.size());
    result.push_back(number_of<int>(word.substr(first, end - first), {.name = "hidden", .high = 65536}));
    first = end + 1;
  }
  if (result == std::vector<int>{0}) return {};
  if (std::find(result.begin(), result.end(), 0) != result.end())
    throw WrongValue(fmt::format("is '{}', needed widths like 0, 256 or 512+128", word));
  return result;
}

ConfigScalar scalar_of_widths(const std::vector<int>& widths) {
  if (widths.empty()) return std::int64_t{0};
  if (widths.size() == 1) return std::int64_t{widths.front()};
  std::string word;
  for (const int width : widths) word += (word.empty() ? "" : "+") + fmt::format("{}", width);
  return word;
}

void describe_search(OptionList& list, SweepOptions& sweep) {
  SearchSpace& space = sweep.space;
  list.start_group("Search");
  list({.name = "poolings", .help = "Poolings to try", .value = "NAME,..."}, space.poolings);
  list({.name = "transforms",
        .help = "Transforms to try; standardize is not tried on flatten",
        .value = "NAME,..."},
       space.transforms);
  list.items({.name = "hidden",
              .help = "Heads to try, with commas between: 0 is linear, 512+128 has two hidden layers"},
             space.hidden, widths_of, scalar_of_widths);
  list({.name = "rates",
        .help = "Learning rates times mean |x|^2 to try",
        .low = 1e-9,
        .high = 1e6,
        .value = "X,..."},
       space.rates);
  list({.name = "l2", .help = "Lambdas of L2 to try", .high = 1e6, .value = "X,..."}, space.l2);
  list({.name = "rounds",
        .help = "Epochs of each round; the best third of the configurations goes on to the next. Above 1,000 "
                "images the first rounds have a part of them",
        .low = 1,
        .high = 1e6},
       sweep.rounds);
  list.text(
      {.name = "budget",
       .help = "Time that the search may take (90, 10m, 2h), or the share of the configurations that it "
               "tries (25%)",
       .value = "SECONDS|N%"},
      sweep.budget, parse_search_budget, [](const SearchBudget& budget) { return to_string(budget); },
      "seconds like 90, a time like 10m, or a share like 25%");
  list({.name = "folds", .help = "Folds of the cross-validation", .low = 2, .high = 1000}, sweep.folds);
  list({.name = "nested",
        .help = "Also judge the search itself, on outer folds: as many times the work as there are folds"},
       sweep.nested);
  list({.name = "learning-curve",
        .help = "Also the accuracy with fewer images a class: would more images help?"},
       sweep.learning_curve);
}

}  // namespace

std::optional<SearchBudget> parse_search_budget(const std::string& text) {
  SearchBudget budget;
  if (const std::optional<std::int64_t> duration = parse_duration(text)) {
    budget.seconds = static_cast<double>(*duration);
  } else {
    const bool share = !text.empty() && text.back() == '%';
    double number = 0.0;
    const char* const end = text.data() + text.size() - (share ? 1 : 0);
    const auto [rest, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc{} || rest != end || !std::isfinite(number)) return std::nullopt;
    if (share && number > 100.0) return std::nullopt;
    (share ? budget.share : budget.seconds) = share ? number / 100.0 : number;
  }
  if (budget.seconds.value_or(budget.share.value_or(0.0)) <= 0.0) return std::nullopt;
  return budget;
}

std::string to_string(const SearchBudget& budget) {
  if (budget.share) return fmt::format("{}%", *budget.share * 100.0);
  return budget.seconds ? fmt::format("{}", *budget.seconds) : "";
}

void describe_train(OptionList& list, TrainOptions& options) {
  describe_run(list, options);
  describe_features(list, options);
  list.start_group("Training");
  list.add(
      {.name = "auto",
       .help = "Search as sweep does with its defaults first: decides pooling, transform, hidden layers, "
               "learning rate, L2, epochs, schedule, early stopping and temperature, none of which may "
               "be given then"},
      OptionKind::kFlag, {},
      [&options](const std::vector<std::string>& words) {
        options.sweep = words.back() == "true" ? std::optional(SweepOptions{}) : std::nullopt;
      },
      [&options]() -> std::optional<ConfigValue> { return options.sweep.has_value(); });
  list.add(
      {.name = "pooling",
       .help = "Every position's channels, or each channel's mean or largest value over the positions",
       .searched = true},
      OptionKind::kText, joined_names<Pooling>(),
      [&options](const std::vector<std::string>& words) {
        options.representation.pooling = value_of<Pooling>(words.back(), {});
        options.pooling_given = true;
      },
      [&options]() -> std::optional<ConfigValue> {
        return std::string(to_string(options.representation.pooling));
      });
  list({.name = "transform",
        .help = "Rows of length one, one number for all rows, or every feature to mean 0 and deviation 1",
        .searched = true},
       options.representation.transform);
  list({.name = "force",
        .help = "Let --transform standardize work on flattened maps: 8 bytes a feature",
        .harmless = true},
       options.force);
  describe(list, options.training);
  list({.name = "rate",
        .help = "Learning rate times mean |x|^2 of the training rows, as sweep has it, in place of "
                "--learning-rate",
        .low = 1e-9,
        .high = 1e6,
        .harmless = true,
        .searched = true},
       options.rate);
  list({.name = "early-stopping",
        .help = "Stop after so many epochs without a better validation loss and keep the best epoch's "
                "weights; 0: never",
        .alias = "patience",
        .searched = true},
       options.early_stopping);
  list({.name = "temperature",
        .help = "Divide the trained head's logits by this; sweep fits it",
        .low = 0.01,
        .high = 100,
        .searched = true},
       options.temperature);
  list({.name = "window",
        .help = "Flattened rows that are in memory at a time, read again in every epoch; 0: all, or what "
                "memory allows"},
       options.window);
  describe_common(list, options);
  list.start_group("Options");
  describe_extractor(list, options.stage_one);
}

void describe_sweep(OptionList& list, TrainOptions& options) {
  OptionList training;
  training.start_group("Training");
  describe(training, options.training);
  training.leave_out_searched();
  training.leave_out({"solver"});
  describe_run(list, options);
  describe_features(list, options);
  describe_search(list, *options.sweep);
  list.append(training);
  list.start_group("Training");
  describe_common(list, options);
  list.start_group("Options");
  describe_extractor(list, options.stage_one);
}

void describe_finetune(OptionList& list, FinetuneOptions& options) {
  describe_run(list, options);
  list({.name = "from",
        .help = "model.h5 of train or sweep to start from [train, with its defaults, into OUT first]",
        .value = "FILE"},
       options.from);
  list.start_group("Training");
  list({.name = "blocks", .help = "How many of the top VGG blocks are trained", .low = 1, .high = 2},
       options.blocks);
  list({.name = "backprop", .help = "What computes the gradients of the VGG blocks"}, options.backprop);
  list({.name = "learning-rate",
        .help =
            "Learning rate of the VGG blocks [1e-3 for rows of about unit length (unit, scale), else 1e-5]",
        .high = 1e6,
        .alias = "lr"},
       options.learning_rate);
  list({.name = "head-learning-rate", .help = "Learning rate of the dense layers [the model's]", .high = 1e6},
       options.head_learning_rate);
  list(
      {.name = "l2",
       .help =
           "Lambda of lambda * sum(W^2), on the weights of VGG blocks and head, without biases [the model's]",
       .high = 1e6},
      options.l2);
  list({.name = "l2-sp",
        .help = "Lambda of lambda * sum((W - W0)^2), W0 being the VGG blocks' weights as they were",
        .high = 1e6},
       options.l2_sp);
  list({.name = "batch-size",
        .help = "Training images in one step",
        .low = 1,
        .high = 4096,
        .alias = "batch",
        .in_0_1_0 = "batch"},
       options.training.batch);
  list({.name = "warm-up", .help = "Epochs over which the learning rates grow from zero"},
       options.training.warm_up);
  list({.name = "clip-norm",
        .help = "Longest gradient of a step, over all that is trained; 0: as it is",
        .high = 1e9},
       options.clip_norm);
  list({.name = "early-stopping",
        .help = "Stop after so many epochs without a better validation loss; 0: never. The best epoch's "
                "weights are kept, or those from before if no epoch is better",
        .alias = "patience"},
       options.early_stopping);
  OptionList of_head;
  of_head.start_group("Training");
  describe(of_head, options.training);
  of_head.leave_out({"hidden", "learning-rate", "l2", "batch-size", "solver", "seed"});
  list.append(of_head);
  describe_steps(list, options);
  list({.name = "views",
        .help = "Random crops and flips of each training image to train on as well; cached like images "
                "[the model's]",
        .high = kMaxViews},
       options.views);
  list({.name = "validation",
        .help = "Share of each class held out, where the dataset gives no split [the model's]",
        .high = 0.99,
        .alias = "validation-split"},
       options.validation);
  list({.name = "seed", .help = "Seed of the split and the order [the model's]", .high = 9e15}, options.seed);
  list({.name = "window",
        .help = "Rows that are in memory at a time, read again in every epoch; 0: all, or what memory "
                "allows"},
       options.window);
  list.start_group("Options");
  describe_admission(list, options.stage_one.images);
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
