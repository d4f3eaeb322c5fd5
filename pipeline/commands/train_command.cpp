// pipeline/commands/train_command.cpp: headstart train and sweep: stage one through the cache, or exported
// rows; stage two, evaluation, OUT.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <future>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "data/dataset/class_names.hpp"
#include "data/error.hpp"
#include "head/search/calibration.hpp"
#include "head/training/trainer.hpp"
#include "pipeline/commands/commands.hpp"
#include "pipeline/commands/stage_two_size.hpp"
#include "pipeline/commands/sweep_plan.hpp"
#include "pipeline/commands/sweep_report.hpp"
#include "pipeline/commands/training_plan.hpp"
#include "pipeline/model/embedded_weights.hpp"
#include "pipeline/model/model_file.hpp"
#include "pipeline/options/training_options.hpp"
#include "pipeline/process/interrupt.hpp"
#include "pipeline/process/write_file.hpp"
#include "pipeline/report/report.hpp"
#include "pipeline/rows/dataset_extraction.hpp"
#include "pipeline/rows/feature_file_reader.hpp"
#include "pipeline/rows/represented_rows.hpp"
#include "pipeline/rows/stage_one.hpp"
#include "pipeline/rows/stage_one_report.hpp"
#include "pipeline/rows/stored_rows.hpp"
#include "pipeline/rows/sweep_rows.hpp"
#include "pipeline/rows/training_views.hpp"
#include "pipeline/run/inspection_work.hpp"
#include "pipeline/run/output_folder.hpp"
#include "pipeline/run/resumable_training.hpp"
#include "pipeline/run/run_config.hpp"
#include "pipeline/run/run_files.hpp"
#include "pipeline/run/run_output.hpp"
#include "pipeline/run/run_report.hpp"
#include "pipeline/run/split_rows.hpp"

namespace headstart {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kCandidatesShown = 12;  // sweep.csv has all

TrainingResult train(const RepresentedRows& features, const SplitRows& rows, const TrainOptions& options,
                     int classes, const RunIdentity& identity, OutputFolder& out, const Session& session) {
  TrainingOptions training = options.training;
  training.threads = session.threads;
  training.processes = session.processes;
  if (options.class_weight == ClassWeight::kBalanced) {
    training.class_weights = balanced_class_weights(rows.labels, rows.training, classes);
  }
  return train_resumably(features.training_data(rows.labels, rows.training, rows.validation, classes),
                         training, options, identity, out, session);
}

/// The input of stage two, from the cache or from a features file.
struct StageTwoInput {
  const ExtractedDataset& dataset;
  SplitRows rows;
  std::vector<RowIndex> training_images;  ///< the part of rows.training without views
  std::span<const RowIndex> view_images;  ///< the image of each view
  std::span<const Sha256> keys;           ///< of every row
  StoredRows stored;
  FeatureOrigin origin;
  const NetworkWeights& weights;
  const ExtractorConfiguration& configuration;
  RunIdentity facts;              ///< about the rows, besides their keys and labels
  bool search_announced = false;  ///< the user knows already what the search costs
};

Model model_of(const StageTwoInput& input, const TrainOptions& options, const FittedTransform& fitted,
               Head head, double penalty) {
  Model model;
  model.weights = input.weights;
  model.configuration = input.configuration;
  model.tap = options.tap;
  model.representation = options.representation;
  model.fitted = fitted;
  model.head = std::move(head);
  model.classes = input.dataset.manifest.classes;
  model.training = record_of(options.training, penalty);
  model.training.temperature = options.temperature;
  model.training.views = options.views;
  model.training.split = SplitRecord{options.training.seed, options.validation, rows_digest(input.dataset)};
  return model;
}

Sweep sweep_rows(const StageTwoInput& input, const TrainOptions& options, const OutputFolder& out,
                 const Session& session) {
  const SweepPlan plan = plan_sweep(
      {.images = static_cast<std::int64_t>(input.training_images.size()),
       .rows = static_cast<std::int64_t>(input.keys.size()),
       .views = static_cast<std::int64_t>(input.rows.training.size() - input.training_images.size()),
       .shape = input.stored.shape,
       .nonzeros = input.stored.layout.nonzeros,
       .classes = static_cast<int>(input.dataset.manifest.classes.size())},
      options);
  const std::string costs = describe(plan, options, session.threads);
  input.search_announced ? session.console.detail(costs) : session.console.note(costs);
  const SweepRows sweep_rows =
      read_sweep_rows(input.stored, plan.poolings, plan.window,
                      plan.file_bytes > 0 ? out.staging() : std::filesystem::path(), on_interrupt());
  const std::span<const RowIndex> all(input.rows.training);
  return run_sweep({sweep_rows, input.rows.labels, input.training_images,
                    all.subspan(input.training_images.size()), input.view_images},
                   input.dataset, options, plan.gram_bytes, on_interrupt(), session);
}

/// What stage two will cost on rows of this size, as a line. @throws Error kData if it cannot be done
std::string costs_of(const StageTwoSize& size, const TrainOptions& options, const Session& session) {
  return options.sweep ? describe(plan_sweep(size, options), options, session.threads)
                       : describe(plan_training(size, options), options, session.threads);
}

/// Stage two, evaluation, OUT.
void train_rows(const StageTwoInput& input, TrainOptions options, OutputFolder& out, const Session& session) {
  const auto& [dataset, rows, training_images, view_images, keys, stored, origin, weights, configuration,
               facts_of_rows, search_announced] = input;
  std::optional<Sweep> sweep;
  const TrainOptions asked = options;
  if (options.sweep) {
    session.begin_pass(pass::kSearch);
    sweep = sweep_rows(input, options, out, session);
    options.representation = sweep->search.scores.front().candidate.representation;
  }
  session.begin_pass(pass::kRows);
  std::optional<RepresentedRows> in_memory;
  const RepresentedRows& represented = in_memory.emplace(
      stored, options.representation, rows.training, static_cast<std::size_t>(options.window), out.staging());
  if (options.rate && !sweep) {
    options.training.learning_rate =
        learning_rate_of(*options.rate, represented.mean_squared_norm(rows.training));
  }
  if (sweep) {
    options = chosen_options(*sweep, represented.mean_squared_norm(rows.training), options);
    fmt::print("\n{}\n", sweep_table(*sweep, kCandidatesShown));
    std::fflush(stdout);
  }
  session.console.note(fmt::format("stage two: {} training and {} validation images, {}",
                                   training_images.size(), rows.validation.size(), represented.describe()));

  RunIdentity facts = facts_of(rows, keys, dataset.manifest.classes, configuration);
  facts.insert(facts.end(), facts_of_rows.begin(), facts_of_rows.end());
  if (const RowSource* source = represented.source())
    facts.emplace_back("rows in memory", fmt::format("{}", source->window));
  const RunIdentity identity = identity_of(facts, options);
  session.begin_pass(pass::kTrain);
  const auto start = std::chrono::steady_clock::now();
  const auto classes = static_cast<int>(dataset.manifest.classes.size());
  TrainingResult result = train(represented, rows, options, classes, identity, out, session);
  const double train_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();

  session.begin_pass(pass::kEvaluate);
  // From here on the head is that of model.h5, so that the metrics are those of evaluate. But the penalty is
  // that of the trained head.
  const double penalty = l2_penalty(result.head, options.training.l2);
  result.head = with_temperature(fold_into_first_layer(std::move(result.head), represented.fitted()),
                                 options.temperature);
  const std::vector<Evaluated> splits = evaluate_splits(
      dataset, rows, training_images,
      [&](std::span<const RowIndex> members) { return represented.logits(result.head, members); }, penalty);
  if (!session.leads()) return;
  warn_of_absurd_loss(splits, classes, initial_l2_penalty(represented.columns(), classes, options.training),
                      session.console);
  session.begin_pass(pass::kWrite);
  const FittedTransform fitted = represented.fitted();
  in_memory.reset();  // before the model copies the weights; the report reads the few rows that it needs
  const Model model = model_of(input, options, fitted, std::move(result.head), penalty);
  // Writing 160 MB of weights is most of the remaining work.
  std::future<void> model_file = start_writing_model(model, out.staging() / "model.h5");
  const EndedRun run{origin, dataset, splits, result, model, options.training, train_seconds};
  Json metrics = metrics_json(run);
  Report report = report_of(run);
  if (sweep) {
    metrics["sweep"] = to_json(*sweep);
    write_file(out.staging() / "sweep.csv", sweep_csv(*sweep));
    report.searched = true;
    report.tables = sweep_report(*sweep, kCandidatesShown);
    if (sweep->nested)
      report.nested = NestedAccuracy{.mean = sweep->nested->accuracy, .deviation = sweep->nested->deviation};
  }
  add_neighbours(report, dataset, training_images, [&](std::span<const RowIndex> members) {
    return model_rows(stored, members, model.representation);
  });
  add_features(report, dataset, rows, stored, splits, inspection_work(session));
  session.console.progress_done();
  add_pictures(report, dataset.manifest, options.stage_one.images.decode);
  write_run(out.staging(), run, std::move(model_file), metrics, report,
            config_of(options, sweep ? &asked : nullptr, session), options.top_k);
  out.publish();
  forget_checkpoint(out);

  if (sweep) {
    fmt::print(
        "The chosen configuration, trained on all training images; no choice saw the validation and test "
        "images:\n");
  }
  fmt::print("{}\nmodel:  {}\nreport: {}\n", splits_table(splits), (options.out / "model.h5").string(),
             (options.out / "report.html").string());
}

void train_on_dataset(const TrainOptions& options, const Session& session) {
  OutputFolder out(options.out);
  StageOne stage_one(load_weights(options.stage_one.network, options.stage_one.weights), {options.tap},
                     options.stage_one, session);
  session.begin_pass(pass::kList);
  Manifest manifest = find_images(options.dataset, 2, options.stage_one.images, session.console);
  check_early_stopping(manifest, options.validation, options.early_stopping);
  const std::string costs =
      costs_of(expected_size(manifest, stage_one.map_shape(), options), options, session);
  options.sweep ? session.console.note(costs) : session.console.detail(costs);
  session.begin_pass(pass::kFeatures);
  ExtractedDataset dataset =
      extract_dataset(std::move(manifest), options.dataset, options.stage_one, session, stage_one);
  session.console.note("stage one: " + describe(dataset));
  assign_splits(dataset, options.validation, options.training.seed);
  SplitRows rows = split_rows(dataset);
  check_trainable(dataset, rows, options.class_weight, printable(options.dataset.string()), session.console);
  const std::vector<RowIndex> training_images = rows.training;
  std::vector<Sha256> keys = keys_of(dataset);
  const TrainingViews views =
      extract_training_views(dataset, training_images, options.views, session, stage_one);
  append(views, rows, keys);
  train_rows({dataset,
              std::move(rows),
              training_images,
              views.originals,
              keys,
              cached_rows(stage_one, keys),
              origin_of(options.dataset, dataset, stage_one),
              stage_one.weights(),
              stage_one.configuration(),
              {},
              options.sweep.has_value()},
             options, out, session);
}

void dry_run(const TrainOptions& options, const Session& session) {
  StageOne stage_one(load_weights(options.stage_one.network, options.stage_one.weights), {options.tap},
                     options.stage_one, session);
  const Manifest manifest = print_plan(options.dataset, 2, session, stage_one, options.views);
  fmt::print("{}\n", costs_of(expected_size(manifest, stage_one.map_shape(), options), options, session));
}

/// Rows that are already pooled can't be pooled in another way.
void take_pooling(TrainOptions& options, Pooling pooling) {
  if (pooling == Pooling::kFlatten) return;
  const auto refuse = [&](const char* option) {
    throw Error{Error::Kind::kUsage, "wrong usage", option,
                fmt::format("the rows of {} are pooled already ({}): leave the option out",
                            printable(options.features.string()), to_string(pooling))};
  };
  if (options.sweep) {
    std::vector<Pooling>& poolings = options.sweep->space.poolings;
    if (std::find(poolings.begin(), poolings.end(), pooling) == poolings.end()) refuse("--poolings");
    poolings = {pooling};
  }
  if (options.pooling_given && options.representation.pooling != pooling) refuse("--pooling");
  options.representation.pooling = pooling;
}

/// Checks that the features come from these weights: they tell nothing about images that go through another
/// network.
void check_weights(const NetworkWeights& weights, const ExtractorConfiguration& configuration,
                   const TrainOptions& options) {
  if (weights.identity == configuration.weights_identity) return;
  const std::string given = options.stage_one.weights.empty() ? "the embedded weights"
                                                              : printable(options.stage_one.weights.string());
  throw Error{Error::Kind::kFailed, "the features are of other weights",
              fmt::format("{}: identity {:.16}, that of {} is {:.16}", printable(options.features.string()),
                          configuration.weights_identity.hex(), given, weights.identity.hex()),
              "pass --weights FILE with those that it was made with (headstart info --weights FILE)"};
}

void train_on_features(TrainOptions options, const Session& session) {
  const FeatureFileReader file(options.features);
  const FeatureTable& table = file.table();
  options.tap = table.tap;
  take_pooling(options, table.pooling);
  check_representation(options);
  ExtractedDataset dataset = dataset_of(table);
  const std::string name = printable(options.features.string());
  decode_classes(dataset.manifest, options.stage_one.images.encoding, options.features.string());
  const std::string content = fmt::format("{} rows of {} ({}, pooling {})", table.labels.size(), name,
                                          to_string(table.tap), to_string(table.pooling));
  check_early_stopping(dataset.manifest, options.validation, options.early_stopping);
  if (options.dry_run) {
    const StoredRows rows = file.rows();
    fmt::print("{}\n{}\n{}\n", class_table(dataset.manifest), content,
               costs_of(expected_size(dataset.manifest, rows.shape, options, rows.layout.nonzeros), options,
                        session));
    return;
  }
  const NetworkWeights weights = load_weights(table.configuration.network, options.stage_one.weights);
  check_weights(weights, table.configuration, options);
  OutputFolder out(options.out);
  session.console.note(content);
  report_duplicates(dataset, session.console);
  assign_splits(dataset, options.validation, options.training.seed);
  const SplitRows rows = split_rows(dataset);
  check_trainable(dataset, rows, options.class_weight, name, session.console);
  train_rows({dataset,
              rows,
              rows.training,
              {},
              table.keys,
              file.rows(),
              FeatureOrigin{.name = options.features.string(),
                            .stage_one = "none: " + content,
                            .engine = "none",
                            .network = "none: the rows are those of a file",
                            .weights_identity = weights.identity,
                            .place = options.features.string()},
              weights,
              table.configuration,
              {{"features_sha256", file.digest().hex()}}},
             options, out, session);
}

}  // namespace

void run_train(const TrainOptions& options, const Session& session) {
  if (!options.features.empty()) return train_on_features(options, session);
  if (options.dataset.empty())
    throw Error{Error::Kind::kUsage, "wrong usage", "no dataset", "name one, or pass --features FILE"};
  if (options.dry_run) return dry_run(options, session);
  train_on_dataset(options, session);
}

namespace {

/// Runs the command with what a person asked for, checked.
void run_asked(const TrainOptions& asked, const Session& session) {
  TrainOptions options = asked;
  resolve_training(options);
  run_train(options, session);
}

}  // namespace

Command train_command() {
  return make_command<TrainOptions>({.name = "train",
                                     .purpose = "Train a classifier on a folder of labelled images",
                                     .together = Together::kAsOne},
                                    describe_train, run_asked);
}

Command sweep_command() {
  return make_command<TrainOptions>(
      {.name = "sweep",
       .purpose = "Find the best representation and head by cross-validation on the cache, then train it",
       .together = Together::kAsOne},
      [](OptionList& list, TrainOptions& options) {
        options.sweep.emplace();
        describe_sweep(list, options);
      },
      run_asked);
}

}  // namespace headstart
