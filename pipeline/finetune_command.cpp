// pipeline/finetune_command.cpp: headstart finetune: the top blocks and the head of a trained model, trained
// together from the cached activations below those blocks; evaluation before and after; OUT.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "data/discovery.hpp"
#include "data/error.hpp"
#include "head/softmax_cross_entropy.hpp"
#include "head/trainer.hpp"
#include "pipeline/commands.hpp"
#include "pipeline/embedded_weights.hpp"
#include "pipeline/model_file.hpp"
#include "pipeline/model_session.hpp"
#include "pipeline/output_folder.hpp"
#include "pipeline/represented_rows.hpp"
#include "pipeline/resumable_training.hpp"
#include "pipeline/run_files.hpp"
#include "pipeline/run_output.hpp"
#include "pipeline/split_rows.hpp"
#include "pipeline/stage_one.hpp"
#include "pipeline/text_table.hpp"
#include "pipeline/training_views.hpp"
#include "pipeline/tuned_first_layer.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr std::size_t kRowsAtATime = 256;  // 40 MB of block4_pool, evaluated together

int first_block_of(const FinetuneOptions& options) { return 6 - options.blocks; }
Tap tap_below(const FinetuneOptions& options) {
  return kAllTaps[static_cast<std::size_t>(first_block_of(options) - 2)];
}

/// The options that a head is trained with where none was given to start from.
TrainOptions options_of_head(const FinetuneOptions& options) {
  TrainOptions train;
  train.dataset = options.dataset;
  train.out = options.out;
  train.stage_one = options.stage_one;
  train.training.seed = options.seed.value_or(train.training.seed);
  train.validation = options.validation.value_or(train.validation);
  train.views = options.views.value_or(train.views);
  train.class_weight = options.class_weight;
  train.config =
      "# The head that finetune started from: train with its defaults, and these.\n[train]\n" +
      fmt::format("seed={}\nvalidation={}\nviews={}\n", train.training.seed, train.validation, train.views);
  return train;
}

/// The model to start from; trained into OUT where none is given.
fs::path starting_model(const FinetuneOptions& options, const Session& session) {
  if (!options.from.empty()) return options.from;
  fs::path model = options.out / "model.h5";
  std::error_code ignored;
  if (options.resume && fs::exists(model, ignored)) return model;
  session.console.note("no --from: a head is trained first");
  {
    // Both taps in one pass over the images.
    StageOne both(load_weights(options.stage_one.weights), {tap_below(options), Tap::kBlock5Pool},
                  options.stage_one, session);
    std::vector<fs::path> files;
    for (const Sample& sample : discover(options.dataset, 2).samples) files.push_back(sample.file);
    static_cast<void>(both.run(files));
  }
  run_train(options_of_head(options), session);
  return model;
}

Model read_starting_model(const FinetuneOptions& options, const fs::path& file) {
  Model model = read_model(file);
  const auto refuse = [&](const std::string& what, const std::string& advice) {
    throw Error{Error::Kind::kFailed, "cannot fine-tune the model",
                fmt::format("{}: {}", printable(file.string()), what), advice};
  };
  if (model.tap != Tap::kBlock5Pool) {
    refuse(fmt::format("its head takes {}, not block5_pool", to_string(model.tap)),
           "train one with --tap block5_pool");
  }
  const Transform transform = model.representation.transform;
  if ((transform == Transform::kScale || transform == Transform::kStandardize) &&
      model.fitted.transform != transform) {
    refuse("it was written before transforms were kept beside the head", "train it again");
  }
  if (options.head_learning_rate.value_or(model.training.learning_rate) <= 0.0)
    refuse("its learning rate is zero", "pass --head-learning-rate");
  return model;
}

/// The weights whose cache has the activations below the blocks: those of --weights where the model's frozen
/// part is theirs, so that a fine-tuned model shares them, else the model's own.
Vgg16Weights frozen_weights(const Model& model, const FinetuneOptions& options) {
  Vgg16Weights base = load_weights(options.stage_one.weights);
  const std::size_t frozen = kVgg16Convolutions.size() - convolutions_from(first_block_of(options)).size();
  for (std::size_t i = 0; i < frozen; ++i) {
    if (base.layers[i].kernel != model.weights.layers[i].kernel ||
        base.layers[i].bias != model.weights.layers[i].bias)
      return model.weights;
  }
  return base.preprocessing == model.weights.preprocessing ? base : model.weights;
}

void check_classes(const ExtractedDataset& dataset, const Model& model, const FinetuneOptions& options) {
  if (dataset.manifest.classes == model.classes) return;
  throw Error{
      Error::Kind::kData, "the dataset does not fit the model",
      fmt::format("{}: {} classes, the model has {}, or they have other names",
                  printable(options.dataset.string()), dataset.manifest.classes.size(), model.classes.size()),
      "fine-tune with the classes that the head was trained on"};
}

/// Validation images that the head has seen would flatter every number that follows.
void warn_of_other_split(const ExtractedDataset& dataset, const Model& model, Console& console) {
  if (!model.training.split) {
    console.warn("the model does not say which images trained it: validation images may be among them");
  } else if (rows_digest(dataset) != model.training.split->rows) {
    console.warn(
        "the images or their split are not those that the model was trained with: validation images may have "
        "trained it");
  }
}

FittedTransform fitted_of(const Model& model) {
  if (model.representation.transform == Transform::kUnit) return {Transform::kUnit, 1.0F, {}, {}};
  return model.fitted;
}

TrainingOptions training_options(const FinetuneOptions& options, const Model& model, const SplitRows& rows,
                                 std::uint64_t seed, const Session& session) {
  TrainingOptions training = options.training;
  training.hidden.clear();
  for (std::size_t l = 0; l + 1 < model.head.layers.size(); ++l)
    training.hidden.push_back(static_cast<int>(model.head.layers[l].bias.size()));
  training.learning_rate = options.head_learning_rate.value_or(model.training.learning_rate);
  training.l2 = options.l2.value_or(model.training.l2);
  training.solver = Solver::kPrimal;
  training.seed = seed;
  training.threads = session.threads;
  if (options.clip_norm > 0.0) training.clip_norm = options.clip_norm;
  if (options.class_weight == ClassWeight::kBalanced) {
    training.class_weights =
        balanced_class_weights(rows.labels, rows.training, static_cast<int>(model.classes.size()));
  }
  if (!rows.validation.empty())
    training.early_stopping = options.early_stopping > 0 ? options.early_stopping : training.epochs;
  return training;
}

/// What the trainer would report as validation loss of these logits.
double validation_loss(Matrix logits, const SplitRows& rows, double label_smoothing, double penalty) {
  std::vector<std::int32_t> labels;
  labels.reserve(rows.validation.size());
  for (const RowIndex row : rows.validation) labels.push_back(rows.labels[static_cast<std::size_t>(row)]);
  const BatchLoss loss = softmax_cross_entropy(logits, labels, {label_smoothing, {}});
  return loss.loss / static_cast<double>(labels.size()) + penalty;
}

/// Logits of any rows, read from the cache in parts.
Matrix logits_of(TunedFirstLayer& layer, std::span<const Dense> layers, const StageOne& stage_one,
                 std::span<const Sha256> keys, std::span<const RowIndex> rows) {
  Matrix logits(static_cast<Eigen::Index>(rows.size()), layers.back().bias.size());
  for (std::size_t first = 0; first < rows.size(); first += kRowsAtATime) {
    const auto part = rows.subspan(first, std::min(kRowsAtATime, rows.size() - first));
    std::vector<Sha256> of_part;
    std::vector<RowIndex> all;
    for (const RowIndex row : part) {
      all.push_back(static_cast<RowIndex>(of_part.size()));
      of_part.push_back(keys[static_cast<std::size_t>(row)]);
    }
    const CsrRows maps = stage_one.features(of_part);
    layer.use_rows({maps.columns, maps.indptr, maps.indices, maps.values});
    logits.middleRows(static_cast<Eigen::Index>(first), static_cast<Eigen::Index>(part.size())) =
        predict_logits(layer, layers, all);
  }
  return logits;
}

double penalty_of(TunedFirstLayer& layer, std::span<const Dense> layers, double l2) {
  double upper = 0.0;
  for (std::size_t l = 1; l < layers.size(); ++l) upper += layers[l].kernel.cast<double>().squaredNorm();
  return layer.penalty(l2) + l2 * upper;
}

/// How far a layer's kernel went, over how long it was.
struct Movement {
  std::string layer;
  double relative = 0.0;
};

template <typename Floats>
double relative_movement(const Floats& now, const Floats& then) {
  double moved = 0.0;
  double length = 0.0;
  for (std::size_t i = 0; i < now.size(); ++i) {
    const double d = static_cast<double>(now[i]) - static_cast<double>(then[i]);
    moved += d * d;
    length += static_cast<double>(then[i]) * static_cast<double>(then[i]);
  }
  return length > 0.0 ? std::sqrt(moved / length) : 0.0;
}

std::vector<Movement> movements_of(std::span<const ConvolutionWeights> now,
                                   std::span<const ConvolutionWeights> then, const Head& head,
                                   const Head& initial, int first_block) {
  std::vector<Movement> movements;
  const std::span<const ConvolutionLayer> layers = convolutions_from(first_block);
  for (std::size_t i = 0; i < layers.size(); ++i)
    movements.push_back({std::string(layers[i].name), relative_movement(now[i].kernel, then[i].kernel)});
  for (std::size_t l = 0; l < head.layers.size(); ++l) {
    const auto floats = [](const Dense& dense) {
      return std::span(dense.kernel.data(), static_cast<std::size_t>(dense.kernel.size()));
    };
    movements.push_back({l + 1 == head.layers.size() ? "predictions" : fmt::format("hidden_{}", l + 1),
                         relative_movement(floats(head.layers[l]), floats(initial.layers[l]))});
  }
  return movements;
}

std::vector<std::vector<std::string>> movement_rows(const std::vector<Movement>& movements) {
  std::vector<std::vector<std::string>> rows{{"layer", "moved by"}};
  for (const Movement& movement : movements)
    rows.push_back({movement.layer, fmt::format("{:.2f} %", 100.0 * movement.relative)});
  return rows;
}

std::vector<std::vector<std::string>> comparison_rows(const std::vector<Evaluated>& before,
                                                      const std::vector<Evaluated>& after) {
  std::vector<std::vector<std::string>> rows{
      {"", "images", "loss before", "after", "accuracy before", "after"}};
  for (std::size_t i = 0; i < after.size(); ++i) {
    const SplitMetrics& was = before[i].metrics;
    const SplitMetrics& is = after[i].metrics;
    rows.push_back({after[i].name, fmt::format("{}", is.metrics.rows), fmt::format("{:.4f}", was.loss()),
                    fmt::format("{:.4f}", is.loss()), fmt::format("{:.4f}", was.metrics.accuracy),
                    fmt::format("{:.4f}", is.metrics.accuracy)});
  }
  return rows;
}

/// Where the run ended, for people.
std::string outcome(const TrainingResult& result) {
  if (result.best_epoch < 0)
    return "No epoch had a better validation loss than the model it started from, which is kept.";
  return fmt::format("Weights of epoch {} of {}.", result.best_epoch + 1, result.history.size());
}

Json metrics_of(const EndedRun& run, const std::vector<Evaluated>& before,
                const std::vector<Movement>& movements, const FinetuneOptions& options,
                const std::string& backprop) {
  Json json = metrics_json(run);
  Json& was = json["before"] = Json::object();
  for (const Evaluated& split : before)
    was[split.name == "training" ? "train" : split.name] =
        to_json(split.metrics, run.dataset.manifest.classes);
  Json& moved = json["moved"] = Json::array();
  for (const Movement& movement : movements)
    moved.push_back({{"layer", movement.layer}, {"relative_norm", movement.relative}});
  json["tuned_from_block"] = first_block_of(options);
  json["backprop"] = backprop;
  return json;
}

Report report_of_run(const EndedRun& run, const std::vector<Evaluated>& before,
                     const std::vector<Movement>& movements, const FinetuneOptions& options,
                     const std::string& backprop) {
  Report report = report_of(run);
  report.facts.emplace_back(
      "fine-tuning",
      fmt::format("blocks {} to 5 from {}, learning rate {} (head {}), L2-SP {}, by {}",
                  first_block_of(options), to_string(tap_below(options)), options.training.learning_rate,
                  run.training.learning_rate, options.l2_sp, backprop));
  report.tables.push_back(
      {"Before and after fine-tuning", outcome(run.result), comparison_rows(before, run.splits)});
  report.tables.push_back({"How far each kernel moved",
                           "The length of the change over the length of the kernel before.",
                           movement_rows(movements)});
  return report;
}

}  // namespace

void run_finetune(const FinetuneOptions& options, const Session& session) {
  const Tap below = tap_below(options);
  if (options.dry_run) {
    const StageOne stage_one(load_weights(options.stage_one.weights), {below}, options.stage_one, session);
    return print_plan(options.dataset, 2, stage_one, options.views.value_or(0));
  }
  const fs::path from = starting_model(options, session);
  Model model = read_starting_model(options, from);
  OutputFolder out(options.out);
  const SplitRecord split = model.training.split.value_or(SplitRecord{});
  const std::uint64_t seed = options.seed.value_or(split.seed);

  // Stage one, up to the blocks.
  const StageOneOptions stage_options = options_of(model, options.stage_one);
  StageOne stage_one(frozen_weights(model, options), {below}, stage_options, session);
  ExtractedDataset dataset = extract_dataset(options.dataset, 2, stage_options, session, stage_one);
  session.console.note(fmt::format("{}: {}", to_string(below), describe(dataset)));
  check_classes(dataset, model, options);
  assign_splits(dataset, options.validation.value_or(split.validation), seed);
  SplitRows rows = split_rows(dataset);
  check_trainable(dataset, rows, options.class_weight, printable(options.dataset.string()), session.console);
  warn_of_other_split(dataset, model, session.console);
  const std::vector<RowIndex> training_images = rows.training;
  std::vector<Sha256> keys = keys_of(dataset);
  const int views = options.views.value_or(model.training.views);
  append(extract_training_views(dataset, training_images, views, session, stage_one), rows, keys);
  const RepresentedRows maps(stage_one, keys, {}, rows.training, static_cast<std::size_t>(options.window));

  // Stage three.
  const TrainingOptions base = training_options(options, model, rows, seed, session);
  Head initial = unfold_from_first_layer(std::move(model.head), model.fitted);
  std::unique_ptr<TrainableBlocks> opened =
      open_trainable_blocks(model.weights, {.backprop = options.backprop,
                                            .first_block = first_block_of(options),
                                            .input_size = model.configuration.resize.size,
                                            .batch_size = base.batch,
                                            .threads = session.threads});
  session.console.note(fmt::format("stage three: {} training and {} validation images, blocks {} to 5 by {}",
                                   training_images.size(), rows.validation.size(), first_block_of(options),
                                   opened->description()));
  FeatureRows in_memory = maps.training();
  in_memory.columns = maps.columns();
  const std::string backprop = opened->description();
  auto owned = std::make_unique<TunedFirstLayer>(
      std::move(opened), in_memory, initial.layers.front().kernel,
      TunedLayerOptions{.channels = tap_shape(Tap::kBlock5Pool, model.configuration.resize.size).channels,
                        .batch = base.batch,
                        .pooling = model.representation.pooling,
                        .fitted = fitted_of(model),
                        .blocks_rate = options.training.learning_rate / base.learning_rate,
                        .l2_sp = options.l2_sp,
                        .threads = session.threads});
  TunedFirstLayer& layer = *owned;
  const std::vector<ConvolutionWeights> blocks_before = layer.blocks().weights();
  const auto evaluate_with = [&](std::span<const Dense> layers) {
    return evaluate_splits(
        dataset, rows, training_images,
        [&](std::span<const RowIndex> members) { return logits_of(layer, layers, stage_one, keys, members); },
        penalty_of(layer, layers, base.l2));
  };
  const std::vector<Evaluated> before = evaluate_with(initial.layers);
  TrainingOptions training = base;
  if (training.early_stopping) {
    training.loss_to_beat =
        validation_loss(logits_of(layer, initial.layers, stage_one, keys, rows.validation), rows,
                        training.label_smoothing, penalty_of(layer, initial.layers, training.l2));
  }
  layer.use_rows(in_memory);

  RunIdentity facts = facts_of(rows, keys, model.classes, stage_one);
  facts.emplace_back("the model to start from", weights_identity(model.weights.layers).hex());
  facts.emplace_back("its head's first loss", fmt::format("{}", training.loss_to_beat.value_or(0.0)));
  const auto start = std::chrono::steady_clock::now();
  const TrainingData data{
      maps.training(), rows.labels, rows.training, rows.validation, static_cast<int>(model.classes.size()),
      maps.source()};
  std::vector<Dense> layers = initial.layers;
  layers.front().kernel.resize(0, 0);  // `layer` has it
  std::uint64_t floats = 0;
  for (const ConvolutionWeights& weights : blocks_before)
    floats += weights.kernel.size() + weights.bias.size();
  for (const Dense& dense : initial.layers)
    floats += static_cast<std::uint64_t>(dense.kernel.rows() + 64) *
              static_cast<std::uint64_t>(dense.kernel.cols() + 64);
  const ResumableRun run{.epochs = training.epochs,
                         .asked = Solver::kPrimal,
                         .largest_checkpoint = 3 * sizeof(float) * floats + (std::uint64_t{1} << 24U) +
                                               512 * static_cast<std::uint64_t>(training.epochs),
                         .resume = options.resume,
                         .checkpoint_seconds = options.checkpoint_seconds,
                         .train = [&](Solver, const TrainingHooks& hooks, const TrainingState* resume) {
                           return train_layers(data, layer, layers, training, hooks, resume);
                         }};
  TrainingResult result = train_resumably(run, identity_of(facts, options.config), out, session);
  const double train_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();

  const std::vector<Evaluated> after = evaluate_with(result.head.layers);
  const double penalty = penalty_of(layer, result.head.layers, training.l2);
  const std::vector<ConvolutionWeights> tuned = layer.blocks().weights();
  result.head.layers.front().kernel = layer.release_kernel();
  const std::vector<Movement> movements =
      movements_of(tuned, blocks_before, result.head, initial, first_block_of(options));
  // Before the model is written, which takes memory too.
  owned.reset();
  initial.layers.clear();

  const int tuned_before = model.tuned_from_block > 0 ? model.tuned_from_block : first_block_of(options);
  model.tuned_from_block = std::min(tuned_before, first_block_of(options));
  std::copy(tuned.begin(), tuned.end(),
            model.weights.layers.end() - static_cast<std::ptrdiff_t>(tuned.size()));
  model.weights.identity = weights_identity(model.weights.layers);
  model.configuration.weights_identity = model.weights.identity;
  model.head = fold_into_first_layer(std::move(result.head), model.fitted);
  model.training = {
      .learning_rate = training.learning_rate,
      .momentum = training.momentum,
      .nesterov = training.nesterov,
      .l2 = training.l2,
      .label_smoothing = training.label_smoothing,
      .temperature = model.training.temperature,
      .views = views,
      .penalty = penalty,
      .split = SplitRecord{seed, options.validation.value_or(split.validation), rows_digest(dataset)}};
  const EndedRun ended{options.dataset, dataset, after, result, stage_one, model, training, train_seconds};
  write_run(out.staging(), ended, metrics_of(ended, before, movements, options, backprop),
            report_of_run(ended, before, movements, options, backprop), options.config);
  out.publish();
  forget_checkpoint(out);
  fmt::print("{}\n{}\n{}\nmodel:  {}\nreport: {}\n", text_table(comparison_rows(before, after)),
             text_table(movement_rows(movements)), outcome(result), (options.out / "model.h5").string(),
             (options.out / "report.html").string());
}

}  // namespace headstart
