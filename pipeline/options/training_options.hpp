// pipeline/options/training_options.hpp: the options of the commands that train, as values. The defaults are
// those in --help. describe_...() lists what a person can set, in which words, within which bounds.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "features/blocks/registry.hpp"
#include "head/representation/representation.hpp"
#include "head/search/search.hpp"
#include "head/training/trainer.hpp"
#include "pipeline/options/class_weight.hpp"
#include "pipeline/options/stage_one_options.hpp"

namespace headstart {

class OptionList;

/// --budget: how long a search may take; empty: as long as it needs.
struct SearchBudget {
  std::optional<double> seconds{};
  std::optional<double> share{};  ///< of the configurations, in (0, 1]
};

/// The value of "90", "10m" or "25%"; empty for any other text.
[[nodiscard]] std::optional<SearchBudget> parse_search_budget(const std::string& text);
/// The text of a budget; empty if there is none.
[[nodiscard]] std::string to_string(const SearchBudget& budget);

/// The options of sweep's search.
struct SweepOptions {
  SearchSpace space;
  int folds = 5;
  std::vector<int> rounds{8, 24, 72};  ///< epochs of each round of successive halving
  SearchBudget budget{};
  bool nested = false;  ///< also judge the whole search on outer folds
  bool learning_curve = false;
};

/// The options of every command that trains.
struct RunOptions {
  std::filesystem::path dataset;
  std::filesystem::path out;
  StageOneOptions stage_one;
  TrainingOptions training;
  int early_stopping = 0;  ///< epochs of patience; 0: never
  int window = 0;          ///< rows in memory at a time; 0: all, or as many as memory allows
  ClassWeight class_weight = ClassWeight::kNone;
  bool resume = false;               ///< from OUT's checkpoint, if it exists
  double checkpoint_seconds = 30.0;  ///< between checkpoints; 0: after every epoch
  int top_k = 0;                     ///< classes of each image in predictions.csv: ranked_classes()
  bool dry_run = false;
};

struct TrainOptions : RunOptions {
  std::filesystem::path features;  ///< exported rows with their labels, instead of a dataset; empty: none
  Tap tap = vgg16().default_tap;
  Representation representation;
  /// The learning rate times mean |x|^2 of the training rows, in place of training.learning_rate; empty:
  /// none.
  std::optional<double> rate;
  bool pooling_given = false;  ///< whether the user gave representation.pooling
  bool force = false;          ///< let standardize make dense rows from flattened maps
  int views = 0;               ///< of each training image, besides the image itself
  double validation = 0.2;
  double temperature = 1.0;           ///< the trained head's logits are divided by it
  std::optional<SweepOptions> sweep;  ///< the search before training, in sweep and train --auto
};

/// The best epoch is always kept, with any value of early_stopping.
struct FinetuneOptions : RunOptions {
  std::filesystem::path from;  ///< a trained model; empty: first a head is trained, as train does
  int blocks = 1;              ///< the number of top VGG blocks that are trained: 1 or 2
  Backprop backprop = Backprop::kNative;
  /// Of the VGG blocks; empty: a rate that suits the model's transform.
  std::optional<double> learning_rate;
  std::optional<double> head_learning_rate;  ///< of the dense layers; empty: the model's
  std::optional<double> l2;                  ///< empty: the model's
  double l2_sp = 0.0;
  std::optional<std::uint64_t> seed;  ///< empty: the model's
  std::optional<double> validation;   ///< empty: the model's
  std::optional<int> views;           ///< empty: the model's
  double clip_norm = 0.0;             ///< 0: gradients are not clipped
};

// Each adds the options of one command, whose fields have to outlive the list.

void describe_train(OptionList& list, TrainOptions& options);
/// The options of train that the search does not decide, and those of the search, `options.sweep`.
void describe_sweep(OptionList& list, TrainOptions& options);
void describe_finetune(OptionList& list, FinetuneOptions& options);

/// Checks that representation and solver fit together. @throws Error kUsage
void check_representation(const TrainOptions& options);

/// After parsing: makes the checks that bounds on single options can't make, and turns zeros that mean none
/// into empty values. A features file may have another pooling. Therefore its reader calls
/// check_representation() itself.
/// @throws Error kUsage
void resolve_training(TrainOptions& options);

}  // namespace headstart
