// pipeline/options/options.hpp: the options of each command, as values. The defaults are those in --help.
// describe_...() lists the options of a command: what a person can set, in which words, within which bounds.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/dataset/shard.hpp"
#include "features/blocks/registry.hpp"
#include "features/cache/cache_folder.hpp"
#include "features/feature_type.hpp"
#include "features/network/known_networks.hpp"
#include "head/representation/representation.hpp"
#include "head/search/search.hpp"
#include "head/training/trainer.hpp"
#include "pipeline/options/class_weight.hpp"
#include "pipeline/options/stage_one_options.hpp"
#include "pipeline/process/session.hpp"

namespace headstart {

class OptionList;

/// The options of sweep's search.
struct SweepOptions {
  SearchSpace space;
  int folds = 5;
  std::vector<int> rounds{8, 24, 72};  ///< epochs of each round of successive halving
  bool nested = false;                 ///< also judge the whole search on outer folds
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

struct ExtractOptions {
  std::filesystem::path dataset;
  StageOneOptions stage_one;
  std::vector<Tap> taps{vgg16().default_tap};
  int views = 0;               ///< of each image, besides the image itself
  std::optional<Shard> shard;  ///< empty: the launcher decides, see shard_of_launch()
  bool dry_run = false;
};

struct EvaluateOptions {
  std::filesystem::path model;
  std::filesystem::path dataset;
  std::filesystem::path json;  ///< empty: no file
  int views = 0;               ///< of each image; a prediction is the mean over the image and its views
  StageOneOptions stage_one;
};

enum class PredictionFormat { kCsv, kJson };

[[nodiscard]] constexpr std::string_view to_string(PredictionFormat format) noexcept {
  switch (format) {
    case PredictionFormat::kCsv:
      return "csv";
    case PredictionFormat::kJson:
      return "jsonl";
  }
  return {};
}

struct PredictOptions {
  std::filesystem::path model;
  std::vector<std::string> paths;  ///< files, folders, or "-" for a list on stdin
  std::filesystem::path out;       ///< empty: stdout
  PredictionFormat format = PredictionFormat::kCsv;
  int top_k = 1;
  double threshold = 0.0;  ///< predictions with a lower probability are unknown
  std::string unknown = "unknown";
  std::filesystem::path explanations;  ///< folder for overlays; empty: none
  int views = 0;  ///< of each image; a prediction is the mean over the image and its views
  StageOneOptions stage_one;
};

enum class ModelFormat { kOnnx, kKeras };

[[nodiscard]] constexpr std::string_view to_string(ModelFormat format) noexcept {
  switch (format) {
    case ModelFormat::kOnnx:
      return "onnx";
    case ModelFormat::kKeras:
      return "keras";
  }
  return {};
}

struct ExportOptions {
  std::filesystem::path model;
  std::filesystem::path out;
  ModelFormat format = ModelFormat::kOnnx;
};

struct InspectOptions {
  std::filesystem::path dataset;
  std::filesystem::path json;  ///< empty: no file
  StageOneOptions stage_one;
  double threshold = 0.95;  ///< a pair above this cosine is a near-duplicate
  int top = 20;             ///< lines of each table on stdout
  bool dry_run = false;
};

struct CacheOptions {
  std::filesystem::path cache;  ///< empty: default_cache_folder()
};

struct CachePruneOptions : CacheOptions {
  PruneOptions prune;
};

struct CacheExportOptions {
  std::filesystem::path dataset;
  std::filesystem::path out;
  StageOneOptions stage_one;
  Tap tap = vgg16().default_tap;
  Pooling pooling = Pooling::kFlatten;
  FeatureType type = FeatureType::kFloat32;
};

struct InfoOptions {
  std::filesystem::path cache;
  Network network = vgg16();
  std::filesystem::path weights;
};

/// The options that every command has besides its own.
struct GeneralOptions {
  int threads = 1;
  bool quiet = false;
  bool verbose = false;
};

// Each adds the options of one command, whose fields have to outlive the list.

void describe_train(OptionList& list, TrainOptions& options);
/// The options of train that the search does not decide, and those of the search, `options.sweep`.
void describe_sweep(OptionList& list, TrainOptions& options);
void describe_finetune(OptionList& list, FinetuneOptions& options);
void describe_extract(OptionList& list, ExtractOptions& options);
void describe_inspect(OptionList& list, InspectOptions& options);
void describe_evaluate(OptionList& list, EvaluateOptions& options);
void describe_predict(OptionList& list, PredictOptions& options);
void describe_export(OptionList& list, ExportOptions& options);
void describe_cache(OptionList& list, CacheOptions& options);
void describe_cache_prune(OptionList& list, CachePruneOptions& options);
void describe_cache_export(OptionList& list, CacheExportOptions& options);
void describe_info(OptionList& list, InfoOptions& options);
void describe_general(OptionList& list, GeneralOptions& options);

}  // namespace headstart
