// pipeline/train_command.cpp: headstart train: stage one through the cache, stage two, evaluation, OUT.
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "data/error.hpp"
#include "head/calibration.hpp"
#include "head/trainer.hpp"
#include "pipeline/commands.hpp"
#include "pipeline/embedded_weights.hpp"
#include "pipeline/model_file.hpp"
#include "pipeline/output_folder.hpp"
#include "pipeline/report.hpp"
#include "pipeline/represented_rows.hpp"
#include "pipeline/resumable_training.hpp"
#include "pipeline/run_files.hpp"
#include "pipeline/run_output.hpp"
#include "pipeline/split_rows.hpp"
#include "pipeline/stage_one.hpp"
#include "pipeline/sweep_report.hpp"
#include "pipeline/training_views.hpp"
#include "pipeline/write_file.hpp"

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
  return train_resumably(
      {features.training(), rows.labels, rows.training, rows.validation, classes, features.source()},
      training, options, identity, out, session);
}

Model model_of(const ExtractedDataset& dataset, const TrainOptions& options,
               const RepresentedRows& represented, const TrainingResult& result, const StageOne& stage_one,
               double penalty) {
  Model model;
  model.weights = stage_one.weights();
  model.configuration = stage_one.configuration();
  model.tap = options.tap;
  model.representation = options.representation;
  model.fitted = represented.fitted();
  model.head = result.head;
  model.classes = dataset.manifest.classes;
  const TrainingOptions& training = options.training;
  model.training = {.learning_rate = training.learning_rate,
                    .momentum = training.momentum,
                    .nesterov = training.nesterov,
                    .l2 = training.l2,
                    .label_smoothing = training.label_smoothing,
                    .temperature = options.temperature,
                    .views = options.views,
                    .penalty = penalty,
                    .split = SplitRecord{training.seed, options.validation, rows_digest(dataset)}};
  return model;
}

void dry_run(const TrainOptions& options, const Session& session) {
  StageOne stage_one(load_weights(options.stage_one.weights), {options.tap}, options.stage_one, session);
  print_plan(options.dataset, 2, stage_one, options.views);
}

}  // namespace

void run_train(const TrainOptions& given, const Session& session) {
  if (given.dry_run) return dry_run(given, session);
  OutputFolder out(given.out);
  StageOne stage_one(load_weights(given.stage_one.weights), {given.tap}, given.stage_one, session);
  ExtractedDataset dataset = extract_dataset(given.dataset, 2, given.stage_one, session, stage_one);
  session.console.note("stage one: " + describe(dataset));

  assign_splits(dataset, given.validation, given.training.seed);
  SplitRows rows = split_rows(dataset);
  check_trainable(dataset, rows, given.class_weight, printable(given.dataset.string()), session.console);
  const std::vector<RowIndex> training_images = rows.training;
  std::vector<Sha256> keys = keys_of(dataset);
  const TrainingViews views =
      extract_training_views(dataset, training_images, given.views, session, stage_one);
  append(views, rows, keys);

  TrainOptions options = given;
  std::optional<Sweep> sweep;
  if (given.sweep) {
    const auto classes = static_cast<int>(dataset.manifest.classes.size());
    check_sweep_memory(keys.size(), classes, *given.sweep);
    const CsrRows cached = stage_one.features(keys);
    const FeatureRows maps{cached.columns, cached.indptr, cached.indices, cached.values};
    const std::vector<RowIndex> all(rows.training);
    sweep = run_sweep({maps, stage_one.map_shape().channels, rows.labels, training_images,
                       std::span(all).subspan(training_images.size()), views.originals},
                      dataset, given, session);
    options.representation = sweep->search.scores.front().candidate.representation;
  }
  const RepresentedRows represented(stage_one, keys, options.representation, rows.training,
                                    static_cast<std::size_t>(options.window));
  if (sweep) {
    options = chosen_options(*sweep, represented.mean_squared_norm(rows.training), options);
    fmt::print("\n{}\n", sweep_table(*sweep, kCandidatesShown));
    std::fflush(stdout);
  }
  session.console.note(fmt::format("stage two: {} training and {} validation images, {}",
                                   training_images.size(), rows.validation.size(), represented.describe()));

  RunIdentity facts = facts_of(rows, keys, dataset.manifest.classes, stage_one);
  if (const RowSource* source = represented.source())
    facts.emplace_back("rows in memory", fmt::format("{}", source->window));
  const RunIdentity identity = identity_of(facts, options.config);
  const auto start = std::chrono::steady_clock::now();
  const auto classes = static_cast<int>(dataset.manifest.classes.size());
  TrainingResult result = train(represented, rows, options, classes, identity, out, session);
  const double train_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();

  // From here on the head is that of model.h5, so that the metrics are those of evaluate; but what was
  // trained is what the penalty is of.
  const double penalty = l2_penalty(result.head, options.training.l2);
  result.head = with_temperature(fold_into_first_layer(std::move(result.head), represented.fitted()),
                                 options.temperature);
  const std::vector<Evaluated> splits = evaluate_splits(
      dataset, rows, training_images,
      [&](std::span<const RowIndex> members) { return represented.logits(result.head, members); }, penalty);
  if (!session.leads()) return;
  const Model model = model_of(dataset, options, represented, result, stage_one, penalty);
  const EndedRun run{given.dataset, dataset, splits,           result,
                     stage_one,     model,   options.training, train_seconds};
  Json metrics = metrics_json(run);
  Report report = report_of(run);
  if (sweep) {
    metrics["sweep"] = to_json(*sweep);
    write_file(out.staging() / "sweep.csv", sweep_csv(*sweep));
    report.tables = sweep_report(*sweep, kCandidatesShown);
  }
  report.inspection = inspect_briefly(dataset, rows, stage_one, session.threads);
  write_run(out.staging(), run, metrics, report, options.config);
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

}  // namespace headstart
