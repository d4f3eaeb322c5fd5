// pipeline/commands/finetune_command.cpp: headstart finetune: trains the top VGG blocks and the head of a
// model together, from the cached activations below these blocks; evaluation before and after; OUT.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <future>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <utility>

#include "data/dataset/discovery.hpp"
#include "data/error.hpp"
#include "data/sha256.hpp"
#include "head/layers/softmax_cross_entropy.hpp"
#include "head/representation/tuned_first_layer.hpp"
#include "head/training/trainer.hpp"
#include "pipeline/commands/commands.hpp"
#include "pipeline/commands/finetune_report.hpp"
#include "pipeline/model/embedded_weights.hpp"
#include "pipeline/model/model_file.hpp"
#include "pipeline/model/model_session.hpp"
#include "pipeline/rows/dataset_extraction.hpp"
#include "pipeline/rows/represented_rows.hpp"
#include "pipeline/rows/stage_one.hpp"
#include "pipeline/rows/stage_one_report.hpp"
#include "pipeline/rows/training_views.hpp"
#include "pipeline/run/output_folder.hpp"
#include "pipeline/run/resumable_training.hpp"
#include "pipeline/run/run_config.hpp"
#include "pipeline/run/run_files.hpp"
#include "pipeline/run/run_output.hpp"
#include "pipeline/run/run_report.hpp"
#include "pipeline/run/split_rows.hpp"
#include "pipeline/run/tuned_blocks.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kRowsAtATime = 256;  // 40 MB of block4_pool, evaluated together

int first_block_of(const FinetuneOptions& options, const Network& network) {
  return block_count(network) + 1 - options.blocks;
}
/// The tap whose cached activations are the input of the trained blocks.
Tap tap_of_input(const FinetuneOptions& options, const Network& network) {
  return tap_below(network, first_block_of(options, network));
}
/// The tap that the head takes.
const Tap& tap_of_head(const Network& network) { return network.taps.back(); }

/// The folder beside OUT for the head to start from. An earlier OUT stays unchanged until this run is done.
constexpr std::string_view kHead = "head";

/// The options for training a head if none was given to start from.
TrainOptions options_of_head(const FinetuneOptions& options, const fs::path& folder) {
  TrainOptions train;
  train.dataset = options.dataset;
  train.out = folder;
  train.stage_one = options.stage_one;
  train.training.seed = options.seed.value_or(train.training.seed);
  train.validation = options.validation.value_or(train.validation);
  train.views = options.views.value_or(train.views);
  train.class_weight = options.class_weight;
  return train;
}

/// With rows of length about one, the gradient of the VGG blocks is smaller by the length of a row, which is
/// in the hundreds.
double blocks_learning_rate(const FinetuneOptions& options, const Model& model) {
  const Transform transform = model.fitted.transform;
  const bool short_rows = transform == Transform::kUnit || transform == Transform::kScale;
  return options.learning_rate.value_or(short_rows ? 1e-3 : 1e-5);
}

void check_tunable(const Model& model, const FinetuneOptions& options, const std::string& name) {
  const auto refuse = [&](const std::string& what, const std::string& advice) {
    throw Error{Error::Kind::kFailed, "cannot fine-tune the model", fmt::format("{}: {}", name, what),
                advice};
  };
  const Network& network = model.configuration.network;
  if (const Network& asked = options.stage_one.network; asked != vgg16() && asked != network)
    refuse(fmt::format("it is of {}, not {}", network.title, asked.title), "leave out --network");
  if (const Tap& needed = tap_of_head(network); model.tap != needed) {
    refuse(fmt::format("its head takes {}, not {}", model.tap.name, needed.name),
           fmt::format("train one with --tap {}", needed.name));
  }
  if (model.fitted.transform != model.representation.transform)
    refuse("it was written before transforms were kept beside the head", "train it again");
  if (options.head_learning_rate.value_or(model.training.options.learning_rate) <= 0.0)
    refuse("its learning rate is zero", "pass --head-learning-rate");
}

/// Trains a head into `folder`, as train does. Rows of both taps are cached in one pass over the images.
void train_head_first(const FinetuneOptions& options, const fs::path& folder, const Session& session) {
  session.console.note("no --from: a head is trained first");
  const Network& network = options.stage_one.network;
  StageOne both(load_weights(network, options.stage_one.weights),
                {tap_of_input(options, network), tap_of_head(network)}, options.stage_one, session);
  const Manifest manifest = find_images(options.dataset, 2, options.stage_one.images, session.console);
  static_cast<void>(both.run(sources_of(manifest)));
  run_train(options_of_head(options, folder), session);
}

/// The model to start from: the given one, or a head trained for this run. A resumed run finds that head in
/// the folder of the run before.
Model starting_model(const FinetuneOptions& options, const OutputFolder& out, const Session& session) {
  fs::path file = options.from;
  if (file.empty()) {
    const fs::path folder = out.beside(kHead);
    file = folder / "model.h5";
    std::error_code ignored;
    if (!options.resume || !fs::exists(file, ignored)) train_head_first(options, folder, session);
  }
  Model model = read_model(file);
  check_tunable(model, options, printable(file.string()));
  return model;
}

/// The weights for the cache of activations below the VGG blocks. The weights of --weights serve if the model
/// has the same frozen part, so that a fine-tuned model shares the cache. Otherwise the model's own weights
/// serve.
NetworkWeights frozen_weights(const Model& model, const FinetuneOptions& options) {
  const Network& network = model.weights.network;
  if (options.stage_one.weights.empty() && network != vgg16()) return model.weights;
  NetworkWeights base = load_weights(network, options.stage_one.weights);
  const std::size_t frozen = first_convolution(network, tap_of_input(options, network));
  for (std::size_t i = 0; i < frozen; ++i) {
    if (base.layers[i].kernel != model.weights.layers[i].kernel ||
        base.layers[i].bias != model.weights.layers[i].bias)
      return model.weights;
  }
  return base.preprocessing == model.weights.preprocessing ? base : model.weights;
}

void check_classes(const Manifest& manifest, const Model& model, const FinetuneOptions& options) {
  if (manifest.classes == model.classes) return;
  throw Error{Error::Kind::kData, "the dataset does not fit the model",
              fmt::format("{}: {} classes, the model has {}, or they have other names",
                          printable(options.dataset.string()), manifest.classes.size(), model.classes.size()),
              "fine-tune with the classes that the head was trained on"};
}

/// Warns, because validation images that trained the head would make every following number look too good.
void warn_of_other_split(const ExtractedDataset& dataset, const Model& model, Console& console) {
  if (!model.training.split) {
    console.warn("the model does not say which images trained it: validation images may be among them");
  } else if (rows_digest(dataset) != model.training.split->rows) {
    console.warn(
        "the images or their split are not those that the model was trained with: validation images may have "
        "trained it");
  }
}

TrainingOptions training_options(const FinetuneOptions& options, const Model& model, const SplitRows& rows,
                                 std::uint64_t seed, const Session& session) {
  TrainingOptions training = options.training;
  training.hidden.clear();
  for (std::size_t l = 0; l + 1 < model.head.layers.size(); ++l)
    training.hidden.push_back(static_cast<int>(model.head.layers[l].bias.size()));
  training.learning_rate = options.head_learning_rate.value_or(model.training.options.learning_rate);
  training.l2 = options.l2.value_or(model.training.options.l2);
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

/// The validation loss as the trainer reports it.
double validation_loss(const Evaluated& validation, const SplitRows& rows, double label_smoothing) {
  std::vector<std::int32_t> labels;
  labels.reserve(rows.validation.size());
  for (const RowIndex row : rows.validation) labels.push_back(rows.labels[static_cast<std::size_t>(row)]);
  Matrix logits = validation.logits;  // becomes the gradient
  const BatchLoss loss = softmax_cross_entropy(logits, labels, {label_smoothing, {}});
  return loss.loss / static_cast<double>(labels.size()) + validation.metrics.l2_penalty;
}

/// Logits of any rows; rows that are not in memory are read in parts.
Matrix logits_of(TunedFirstLayer& layer, std::span<const Dense> layers, const RepresentedRows& maps,
                 std::span<const RowIndex> rows) {
  if (maps.source() == nullptr) return predict_logits(layer, layers, rows);
  Matrix logits(static_cast<Eigen::Index>(rows.size()), layers.back().bias.size());
  for (std::size_t first = 0; first < rows.size(); first += kRowsAtATime) {
    const auto part = rows.subspan(first, std::min(kRowsAtATime, rows.size() - first));
    const SparseRows of_part = maps.read(part);
    layer.use_rows(of_part.view());
    std::vector<RowIndex> all(part.size());
    std::iota(all.begin(), all.end(), 0);
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

/// The digest of the model that a run starts from, so that no run goes on with a checkpoint of another model.
std::string identity_of_start(const NetworkWeights& weights, const Head& head) {
  Sha256Stream stream;
  const auto add = [&](std::span<const float> floats) { stream.update(std::as_bytes(floats)); };
  for (const Dense& layer : head.layers) {
    add({layer.kernel.data(), static_cast<std::size_t>(layer.kernel.size())});
    add({layer.bias.data(), static_cast<std::size_t>(layer.bias.size())});
  }
  return weights_identity(weights.network, weights.layers).hex() + stream.finish().hex();
}

/// @param blocks  the VGG blocks that `layer` trains, as they are before
TrainingResult train_blocks(const TrainingData& data, TunedFirstLayer& layer,
                            std::span<const ConvolutionWeights> blocks, std::vector<Dense> layers,
                            const TrainingOptions& training, const FinetuneOptions& options,
                            const RunIdentity& identity, OutputFolder& out, const Session& session) {
  const auto inputs = static_cast<std::uint64_t>(layers.front().kernel.rows());
  std::uint64_t of_blocks = 0;
  for (const ConvolutionWeights& weights : blocks)
    of_blocks += sizeof(float) * (weights.kernel.size() + weights.bias.size());
  layers.front().kernel.resize(0, 0);  // `layer` has it
  const ResumableRun run{
      .epochs = training.epochs,
      .asked = Solver::kPrimal,
      // Weights, velocities and the best weights.
      .largest_checkpoint = largest_checkpoint(inputs, training, data.classes) + 4 * of_blocks,
      .resume = options.resume,
      .checkpoint_seconds = options.checkpoint_seconds,
      .presets = identity_of({}, FinetuneOptions{}),
      .train = [&](Solver, const TrainingHooks& hooks, const TrainingState* resume) {
        return train_layers(data, layer, layers, training, hooks, resume);
      }};
  return train_resumably(run, identity, out, session);
}

/// `model`, whose head was moved out, with the trained parts.
Model tuned_model(Model model, int first_block, std::span<const ConvolutionWeights> blocks, Head head,
                  const TrainingRecord& training) {
  const int before = model.tuned_from_block > 0 ? model.tuned_from_block : first_block;
  model.tuned_from_block = std::min(before, first_block);
  std::copy(blocks.begin(), blocks.end(),
            model.weights.layers.end() - static_cast<std::ptrdiff_t>(blocks.size()));
  model.weights.identity = weights_identity(model.weights.network, model.weights.layers);
  model.configuration.weights_identity = model.weights.identity;
  model.head = fold_into_first_layer(std::move(head), model.fitted);
  model.training = training;
  return model;
}

void print_finetune_plan(const FinetuneOptions& options, const Session& session) {
  NetworkWeights weights = options.from.empty()
                               ? load_weights(options.stage_one.network, options.stage_one.weights)
                               : frozen_weights(read_model(options.from), options);
  const Tap below = tap_of_input(options, weights.network);
  StageOne stage_one(std::move(weights), {below}, options.stage_one, session);
  print_plan(options.dataset, 2, session, stage_one, options.views.value_or(0));
}

/// What stage one leaves for stage three.
struct Inputs {
  ExtractedDataset dataset;
  SplitRows rows;
  std::vector<RowIndex> training_images;  ///< rows.training without the rows of views
  std::vector<Sha256> keys;               ///< of the rows
};

/// Stage one, up to the input of the trained VGG blocks.
Inputs extract_inputs(Manifest manifest, const FinetuneOptions& options, const Model& model,
                      const SplitRecord& split, int views, StageOne& stage_one, const Session& session) {
  Inputs inputs;
  ExtractedDataset& dataset = inputs.dataset = extract_dataset(
      std::move(manifest), options.dataset, options_of(model, options.stage_one), session, stage_one);
  session.console.note(fmt::format("{}: {}", to_string(stage_one.taps().front()), describe(dataset)));
  assign_splits(dataset, split.validation, split.seed);
  inputs.rows = split_rows(dataset);
  check_trainable(dataset, inputs.rows, options.class_weight, printable(options.dataset.string()),
                  session.console);
  warn_of_other_split(dataset, model, session.console);
  inputs.training_images = inputs.rows.training;
  inputs.keys = keys_of(dataset);
  append(extract_training_views(dataset, inputs.training_images, views, session, stage_one), inputs.rows,
         inputs.keys);
  return inputs;
}

/// The trained VGG blocks as the first layer of the head.
std::unique_ptr<TunedFirstLayer> first_layer_of(std::unique_ptr<TrainableBlocks> blocks,
                                                const RepresentedRows& maps, const Head& initial,
                                                const Model& model, const TrainingOptions& training,
                                                const FinetuneOptions& options, int threads) {
  const Network& network = model.configuration.network;
  SparseRowsView in_memory = maps.flattened();
  in_memory.columns = maps.columns();
  return std::make_unique<TunedFirstLayer>(
      lower_layers(std::move(blocks), {.rate = blocks_learning_rate(options, model) / training.learning_rate,
                                       .l2_sp = options.l2_sp}),
      in_memory, initial.layers.front().kernel,
      TunedLayerOptions{
          .channels = tap_shape(network, tap_of_head(network), model.configuration.resize.size).channels,
          .batch = training.batch,
          .pooling = model.representation.pooling,
          .fitted = model.fitted,
          .threads = threads});
}

void run_finetune(const FinetuneOptions& options, const Session& session) {
  check_available(options.backprop);
  if (options.dry_run) return print_finetune_plan(options, session);
  OutputFolder out(options.out);
  session.begin_pass(pass::kList);
  Manifest manifest = find_images(options.dataset, 2, options.stage_one.images, session.console);
  if (options.validation) check_early_stopping(manifest, *options.validation, options.early_stopping);
  session.begin_pass(pass::kStart);
  Model model = starting_model(options, out, session);
  session.begin_pass(pass::kStart);  // a head that was trained first has passes of its own
  SplitRecord split = model.training.split.value_or(SplitRecord{});
  split.validation = options.validation.value_or(split.validation);
  split.seed = options.seed.value_or(split.seed);
  check_classes(manifest, model, options);
  check_early_stopping(manifest, split.validation, options.early_stopping);
  const Network network = model.configuration.network;
  const int first_block = first_block_of(options, network);
  const int views = options.views.value_or(model.training.views);

  session.begin_pass(pass::kFeatures);
  StageOne stage_one(frozen_weights(model, options), {tap_of_input(options, network)},
                     options_of(model, options.stage_one), session);
  const auto [dataset, rows, training_images, keys] =
      extract_inputs(std::move(manifest), options, model, split, views, stage_one, session);
  const StoredRows stored = cached_rows(stage_one, keys);
  session.begin_pass(pass::kRows);
  const RepresentedRows maps(stored, {}, rows.training, static_cast<std::size_t>(options.window));

  // Stage three.
  TrainingOptions training = training_options(options, model, rows, split.seed, session);
  Head initial = unfold_from_first_layer(std::move(model.head), model.fitted);
  std::unique_ptr<TrainableBlocks> opened =
      open_trainable_blocks(model.weights, options.backprop,
                            {.first_block = first_block,
                             .input_size = model.configuration.resize.size,
                             .batch_size = training.batch,
                             .threads = session.threads});
  TrainableBlocks& blocks = *opened;
  session.console.note(fmt::format("stage three: {} training and {} validation images, blocks {} to {} by {}",
                                   training_images.size(), rows.validation.size(), first_block,
                                   block_count(network), blocks.description()));
  const std::vector<ConvolutionWeights> blocks_before = blocks.weights();
  std::unique_ptr<TunedFirstLayer> layer =
      first_layer_of(std::move(opened), maps, initial, model, training, options, session.threads);
  const auto evaluate_with = [&](std::span<const Dense> layers) {
    return evaluate_splits(
        dataset, rows, training_images,
        [&](std::span<const RowIndex> members) { return logits_of(*layer, layers, maps, members); },
        penalty_of(*layer, layers, training.l2));
  };
  session.begin_pass(pass::kEvaluate);
  FineTuning tuning{.before = evaluate_with(initial.layers),
                    .first_block = first_block,
                    .blocks_learning_rate = blocks_learning_rate(options, model),
                    .l2_sp = options.l2_sp,
                    .backprop = blocks.description()};
  if (const Evaluated* const validation = find_split(tuning.before, "validation")) {
    training.to_beat = {.loss = validation_loss(*validation, rows, training.label_smoothing),
                        .accuracy = validation->metrics.metrics.accuracy};
  }

  RunIdentity facts = facts_of(rows, keys, model.classes, stage_one.configuration());
  facts.emplace_back("the model to start from", identity_of_start(model.weights, initial));
  session.begin_pass(pass::kTrain);
  const auto start = std::chrono::steady_clock::now();
  const TrainingData data{
      maps.flattened(), rows.labels, rows.training, rows.validation, static_cast<int>(model.classes.size()),
      maps.source()};
  TrainingResult result = train_blocks(data, *layer, blocks_before, initial.layers, training, options,
                                       identity_of(facts, options), out, session);
  const double train_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();

  session.begin_pass(pass::kEvaluate);
  const std::vector<Evaluated> after = evaluate_with(result.head.layers);
  warn_of_absurd_loss(after, data.classes, tuning.before.front().metrics.l2_penalty, session.console);
  const std::vector<ConvolutionWeights> tuned = blocks.weights();
  result.head.layers.front().kernel = layer->release_kernel();
  tuning.movements = movements_of(tuned, blocks_before, result.head, initial, network);
  layer.reset();  // makes room for the model, which holds a copy of the tuned blocks
  initial.layers.clear();
  session.begin_pass(pass::kWrite);
  TrainingRecord record = record_of(training, after.front().metrics.l2_penalty);
  record.temperature = model.training.temperature;
  record.views = views;
  record.split = SplitRecord{training.seed, split.validation, rows_digest(dataset)};
  model = tuned_model(std::move(model), first_block, tuned, std::move(result.head), record);
  std::future<void> model_file = start_writing_model(model, out.staging() / "model.h5");
  const FeatureOrigin origin = origin_of(options.dataset, dataset, stage_one);
  const EndedRun ended{origin, dataset, after, result, model, training, train_seconds};
  write_run(out.staging(), ended, std::move(model_file), finetune_json(ended, tuning),
            finetune_report(ended, tuning, options.stage_one.images.decode), config_of(options, session),
            options.top_k);
  out.publish();
  forget_checkpoint(out);
  if (options.from.empty()) out.remove_beside(kHead);
  fmt::print("{}model:  {}\nreport: {}\n", finetune_text(ended, tuning), (options.out / "model.h5").string(),
             (options.out / "report.html").string());
}

}  // namespace

Command finetune_command() {
  return make_command<FinetuneOptions>(
      {.name = "finetune",
       .purpose = "Train the network's top VGG blocks together with the head of a trained model"},
      describe_finetune, run_finetune);
}

}  // namespace headstart
