// pipeline/train_command.cpp: headstart train: stage one through the cache, stage two, evaluation, OUT.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "data/error.hpp"
#include "data/split.hpp"
#include "head/calibration.hpp"
#include "head/kernel_matrix.hpp"
#include "head/metrics.hpp"
#include "head/softmax_cross_entropy.hpp"
#include "head/trainer.hpp"
#include "pipeline/commands.hpp"
#include "pipeline/embedded_weights.hpp"
#include "pipeline/inspection_report.hpp"
#include "pipeline/metrics_json.hpp"
#include "pipeline/model_file.hpp"
#include "pipeline/output_folder.hpp"
#include "pipeline/report.hpp"
#include "pipeline/represented_rows.hpp"
#include "pipeline/resumable_training.hpp"
#include "pipeline/run_files.hpp"
#include "pipeline/stage_one.hpp"
#include "pipeline/sweep_report.hpp"
#include "pipeline/training_views.hpp"
#include "pipeline/write_file.hpp"

namespace headstart {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kCandidatesShown = 12;  // sweep.csv has all

/// Which feature rows (positions in ExtractedDataset::used) belong to which split, and everybody's label.
struct Rows {
  std::vector<std::int32_t> labels;
  std::vector<RowIndex> training;
  std::vector<RowIndex> validation;
  std::vector<RowIndex> test;
};

bool has_split(const Manifest& manifest, std::span<const std::size_t> used, Split split) {
  return std::any_of(used.begin(), used.end(),
                     [&](std::size_t row) { return manifest.samples[row].split == split; });
}

/// Draws the validation split where the dataset does not give one.
void assign_splits(ExtractedDataset& dataset, const TrainOptions& options) {
  Manifest& manifest = dataset.manifest;
  if (has_split(manifest, dataset.used, Split::kValidation)) return;
  std::vector<std::size_t>
      candidates;  // all, or the given training rows of a dataset with train/ and test/ only
  for (const std::size_t row : dataset.used) {
    Split& split = manifest.samples[row].split;
    if (split == Split::kTest) continue;
    split = Split::kTrain;
    candidates.push_back(row);
  }
  if (options.validation > 0.0) {
    draw_validation_split(manifest, candidates, dataset.content, options.validation, options.training.seed);
  }
}

Rows rows_of(const ExtractedDataset& dataset) {
  Rows rows;
  for (std::size_t i = 0; i < dataset.used.size(); ++i) {
    const Sample& sample = dataset.manifest.samples[dataset.used[i]];
    rows.labels.push_back(sample.label);
    const auto index = static_cast<RowIndex>(i);
    if (sample.split == Split::kTrain) rows.training.push_back(index);
    if (sample.split == Split::kValidation) rows.validation.push_back(index);
    if (sample.split == Split::kTest) rows.test.push_back(index);
  }
  return rows;
}

void check_trainable(const ExtractedDataset& dataset, const Rows& rows, const TrainOptions& options,
                     Console& console) {
  std::vector<std::int64_t> counts(dataset.manifest.classes.size(), 0);
  for (const RowIndex row : rows.training) {
    ++counts[static_cast<std::size_t>(rows.labels[static_cast<std::size_t>(row)])];
  }
  const auto present =
      std::count_if(counts.begin(), counts.end(), [](std::int64_t count) { return count > 0; });
  const std::string name = printable(options.dataset.string());
  if (present < 2) {
    throw Error{Error::Kind::kData, "cannot train",
                fmt::format("{}: {} of {} classes have usable training images", name, present, counts.size()),
                "at least two are needed"};
  }
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] > 0) continue;
    const std::string label = printable(dataset.manifest.classes[i]);
    if (options.class_weight == ClassWeight::kBalanced) {
      throw Error{Error::Kind::kData, "cannot balance the classes",
                  fmt::format("{}: class '{}' has no training image", name, label),
                  "add some, remove the class, or pass --class-weight none"};
    }
    console.warn(fmt::format("class '{}' has no usable training image: the model can't learn it", label));
  }
}

std::vector<Sha256> keys_of(const ExtractedDataset& dataset) {
  std::vector<Sha256> keys;
  keys.reserve(dataset.used.size());
  for (const std::size_t row : dataset.used) keys.push_back(*dataset.content[row]);
  return keys;
}

/// Views train like images, behind all images' rows; whatever counts or measures images names those only.
void append(const TrainingViews& views, Rows& rows, std::vector<Sha256>& keys) {
  for (std::size_t i = 0; i < views.keys.size(); ++i) {
    rows.training.push_back(static_cast<RowIndex>(keys.size()));
    rows.labels.push_back(rows.labels[static_cast<std::size_t>(views.originals[i])]);
    keys.push_back(views.keys[i]);
  }
}

/// What a checkpoint of this run knows of the data.
RunIdentity facts_of(const Rows& rows, std::span<const Sha256> keys, const std::vector<std::string>& classes,
                     const StageOne& stage_one) {
  std::string lines;
  for (std::size_t i = 0; i < keys.size(); ++i)
    lines += fmt::format("{} {}\n", keys[i].hex(), rows.labels[i]);
  for (const auto* members : {&rows.training, &rows.validation}) {
    lines += fmt::format("{}\n", fmt::join(*members, " "));
  }
  return {{"version", HEADSTART_VERSION},
          {"fingerprint", stage_one.configuration().fingerprint()},
          {"classes", sha256(fmt::format("{}", fmt::join(classes, "\n"))).hex()},
          {"rows_sha256", sha256(lines).hex()}};
}

TrainingResult train(const RepresentedRows& features, const Rows& rows, const TrainOptions& options,
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

/// A split with its predictions.
struct Evaluated {
  std::string name;
  std::vector<std::size_t> samples;  // rows of the manifest
  Matrix probabilities;
  SplitMetrics metrics;
};

std::optional<Evaluated> evaluate_split(const std::string& name, const ExtractedDataset& dataset,
                                        const Rows& rows, const std::vector<RowIndex>& members,
                                        const Head& head, const RepresentedRows& features, double penalty) {
  if (members.empty()) return std::nullopt;
  Evaluated split;
  split.name = name;
  std::vector<std::int32_t> labels;
  for (const RowIndex row : members) {
    split.samples.push_back(dataset.used[static_cast<std::size_t>(row)]);
    labels.push_back(rows.labels[static_cast<std::size_t>(row)]);
  }
  const Matrix logits = features.logits(head, members);
  split.probabilities = logits;
  softmax(split.probabilities);
  split.metrics = {evaluate_logits(logits, labels), penalty};
  return split;
}

Json metrics_json(const ExtractedDataset& dataset, const std::vector<Evaluated>& splits,
                  const TrainingResult& result, const StageOne& stage_one, const TrainOptions& options,
                  double train_seconds) {
  std::size_t copies = 0;
  for (const DuplicateSet& set : dataset.duplicates) copies += set.rows.size() - 1;
  std::vector<double> epoch_seconds;
  for (const EpochResult& epoch : result.history) epoch_seconds.push_back(epoch.seconds);
  const double total = static_cast<double>(dataset.manifest.samples.size());
  Json json{{"version", HEADSTART_VERSION},
            {"classes", dataset.manifest.classes},
            {"images",
             {{"total", dataset.manifest.samples.size()},
              {"used", dataset.used.size()},
              {"rejected", dataset.rejected},
              {"duplicates", copies},
              {"cache_hits", dataset.cached},
              {"cache_misses", dataset.extracted}}},
            {"views", to_json(dataset.views)}};
  for (const char* name : {"training", "validation", "test"}) {
    const auto split =
        std::find_if(splits.begin(), splits.end(), [&](const Evaluated& s) { return s.name == name; });
    const bool training = split != splits.end() && split == splits.begin();
    const std::string key = training ? "train" : name;
    if (split != splits.end()) {
      json[key] = to_json(split->metrics, dataset.manifest.classes);
    } else if (std::string_view(name) == "validation") {
      json[key] = nullptr;
    }
  }
  const auto best = static_cast<std::size_t>(result.best_epoch);
  json["best_epoch"] = result.history[best].epoch;
  json["timing"] = {{"extract_seconds", dataset.extraction.seconds},
                    {"extract_images_per_second", total / std::max(dataset.extraction.seconds, 1e-9)},
                    {"train_seconds", train_seconds},
                    {"epoch_seconds", epoch_seconds}};
  json["engine"] = to_string(stage_one.engine());
  json["pooling"] = to_string(options.representation.pooling);
  json["transform"] = to_string(options.representation.transform);
  json["temperature"] = options.temperature;
  json["solver"] = to_string(result.solver);
  json["fingerprint"] = stage_one.configuration().fingerprint();
  json["rows_sha256"] = rows_digest(dataset).hex();
  json["seed"] = options.training.seed;
  return json;
}

Report report_of(const ExtractedDataset& dataset, const std::vector<Evaluated>& splits,
                 const TrainingResult& result, const StageOne& stage_one, const TrainOptions& options) {
  Report report;
  report.title = "headstart: " + printable(options.dataset.filename().empty()
                                               ? options.dataset.parent_path().filename().string()
                                               : options.dataset.filename().string());
  report.classes = dataset.manifest.classes;
  report.history = result.history;
  for (const Evaluated& split : splits) report.splits.emplace_back(split.name, split.metrics);
  for (std::size_t i = 0; i < dataset.manifest.samples.size(); ++i) {
    const ImageResult& image = dataset.extraction.images[i];
    if (image.status == ImageStatus::kRejected) {
      report.rejects.emplace_back(printable(dataset.manifest.samples[i].path), image.reason);
    }
  }
  const auto widths = options.training.hidden;
  std::string hidden;
  for (const int width : widths) hidden += fmt::format("{}{}", hidden.empty() ? "" : ", ", width);
  report.facts = {
      {"dataset",
       fmt::format("{}: {} images in {} classes, {} used", printable(options.dataset.string()),
                   dataset.manifest.samples.size(), dataset.manifest.classes.size(), dataset.used.size())},
      {"stage one", describe(dataset)},
      {"engine", dataset.extraction.engine ? fmt::format("{} ({}: {})", dataset.extraction.engine->name,
                                                         dataset.extraction.engine->version,
                                                         dataset.extraction.engine->implementation)
                                           : "none needed: every image was in the cache"},
      {"features",
       fmt::format("{} of VGG16, pooling {}, transform {}, weights {}", to_string(options.tap),
                   to_string(options.representation.pooling), to_string(options.representation.transform),
                   stage_one.weights().identity.hex())},
      {"head", hidden.empty() ? "linear" : "hidden layers of " + hidden},
      {"training", fmt::format("SGD, learning rate {}, momentum {}{}, L2 {}, batch {}, {} of {} epochs, "
                               "weights of epoch {}, seed {}, temperature {}",
                               options.training.learning_rate, options.training.momentum,
                               options.training.nesterov ? " (Nesterov)" : "", options.training.l2,
                               options.training.batch, result.history.size(), options.training.epochs,
                               result.best_epoch + 1, options.training.seed, options.temperature)},
      {"cache", printable((stage_one.cache_folder() / stage_one.configuration().fingerprint()).string())},
      {"version", HEADSTART_VERSION}};
  return report;
}

/// What the features say about the images, where that takes no longer than the training: near-duplicates,
/// suspect labels, outliers, classes that overlap. For more images there is `headstart inspect`.
std::vector<ReportTable> inspect(const ExtractedDataset& dataset, const Rows& rows, const StageOne& stage_one,
                                 int threads) {
  constexpr std::size_t kMostImages = 1000;  // the eigendecomposition grows with their cube: about a second
  constexpr std::size_t kLines = 20;
  const std::size_t images = dataset.used.size();
  if (images > kMostImages) return {};
  const CsrRows cached = stage_one.features(keys_of(dataset));
  const Matrix kernel =
      kernel_matrix({cached.columns, cached.indptr, cached.indices, cached.values}, threads);
  const Inspection inspection =
      inspect_rows(kernel, std::span(rows.labels).first(images),
                   static_cast<int>(dataset.manifest.classes.size()), InspectOptions{}.threshold);
  return inspection_tables(inspection, dataset, kLines);
}

void write_output(const OutputFolder& out, const ExtractedDataset& dataset,
                  const std::vector<Evaluated>& splits, const TrainingResult& result, StageOne& stage_one,
                  const TrainOptions& options, const std::optional<Sweep>& sweep,
                  std::vector<ReportTable> inspection, double penalty, double train_seconds) {
  const auto& folder = out.staging();
  Model model{
      stage_one.weights(),
      stage_one.configuration(),
      options.tap,
      options.representation,
      result.head,
      dataset.manifest.classes,
      {options.training.learning_rate, options.training.momentum, options.training.nesterov,
       options.training.l2, options.training.label_smoothing, options.temperature, options.views, penalty}};
  write_model(model, folder / "model.h5");
  Json metrics = metrics_json(dataset, splits, result, stage_one, options, train_seconds);
  if (sweep) {
    metrics["sweep"] = to_json(*sweep);
    write_file(folder / "sweep.csv", sweep_csv(*sweep));
  }
  write_file(folder / "metrics.json", metrics.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  write_file(folder / "history.csv", history_csv(result.history));
  // Without a validation split the file still exists, with its header: scripts can rely on it.
  const auto validation = std::find_if(splits.begin(), splits.end(),
                                       [](const Evaluated& split) { return split.name == "validation"; });
  write_file(folder / "predictions.csv",
             validation != splits.end()
                 ? predictions_csv(dataset.manifest, validation->samples, validation->probabilities)
                 : predictions_csv(dataset.manifest, {},
                                   Matrix(0, static_cast<Eigen::Index>(dataset.manifest.classes.size()))));
  write_file(folder / "images.csv", images_csv(dataset));
  write_file(folder / "class_indices.json", class_indices_json(dataset.manifest.classes));
  write_file(folder / "config.toml", options.config);
  Report report = report_of(dataset, splits, result, stage_one, options);
  if (sweep) report.tables = sweep_report(*sweep, kCandidatesShown);
  report.inspection = std::move(inspection);
  write_file(folder / "report.html", report_html(report));
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

  assign_splits(dataset, given);
  Rows rows = rows_of(dataset);
  check_trainable(dataset, rows, given, session.console);
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
  std::vector<Evaluated> splits;
  for (const auto& [name, members] : {std::pair{"training", &std::as_const(training_images)},
                                      std::pair{"validation", &std::as_const(rows.validation)},
                                      std::pair{"test", &std::as_const(rows.test)}}) {
    auto split = evaluate_split(name, dataset, rows, *members, result.head, represented, penalty);
    if (split) splits.push_back(std::move(*split));
  }
  if (!session.leads()) return;
  write_output(out, dataset, splits, result, stage_one, options, sweep,
               inspect(dataset, rows, stage_one, session.threads), penalty, train_seconds);
  out.publish();
  forget_checkpoint(out);

  std::vector<std::pair<std::string, const SplitMetrics*>> table;
  table.reserve(splits.size());
  for (const Evaluated& split : splits) table.emplace_back(split.name, &split.metrics);
  if (sweep) {
    fmt::print(
        "The chosen configuration, trained on all training images; no choice saw the validation and test "
        "images:\n");
  }
  fmt::print("{}\nmodel:  {}\nreport: {}\n", metrics_table(table), (options.out / "model.h5").string(),
             (options.out / "report.html").string());
}

}  // namespace headstart
