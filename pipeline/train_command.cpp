// pipeline/train_command.cpp: headstart train: stage one through the cache, stage two, evaluation, OUT.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "data/error.hpp"
#include "data/split.hpp"
#include "head/metrics.hpp"
#include "head/softmax_cross_entropy.hpp"
#include "head/trainer.hpp"
#include "pipeline/commands.hpp"
#include "pipeline/embedded_weights.hpp"
#include "pipeline/interrupt.hpp"
#include "pipeline/metrics_json.hpp"
#include "pipeline/model_file.hpp"
#include "pipeline/output_folder.hpp"
#include "pipeline/report.hpp"
#include "pipeline/run_files.hpp"
#include "pipeline/stage_one.hpp"
#include "pipeline/write_file.hpp"

namespace headstart {
namespace {

using Json = nlohmann::ordered_json;

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

FeatureRows view_of(const CsrRows& rows) { return {rows.columns, rows.indptr, rows.indices, rows.values}; }

std::string epoch_line(const EpochResult& epoch, int epochs) {
  std::string line = fmt::format("epoch {}/{}: loss {:.4f}, accuracy {:.4f}", epoch.epoch + 1, epochs,
                                 epoch.loss, epoch.accuracy);
  if (epoch.val_loss && epoch.val_accuracy) {
    line += fmt::format("; validation loss {:.4f}, accuracy {:.4f}", *epoch.val_loss, *epoch.val_accuracy);
  }
  return line + fmt::format("; {:.2f} s", epoch.seconds);
}

TrainingResult train(const FeatureRows& features, const Rows& rows, const TrainOptions& options, int classes,
                     const Session& session) {
  TrainingOptions training = options.training;
  training.threads = session.threads;
  if (options.class_weight == ClassWeight::kBalanced) {
    training.class_weights = balanced_class_weights(rows.labels, rows.training, classes);
  }
  TrainingHooks hooks;
  hooks.stop = &interrupt_flag();
  hooks.on_epoch = [&](const EpochResult& epoch) {
    session.console.note(epoch_line(epoch, training.epochs));
  };
  try {
    const TrainingData data{features, rows.labels, rows.training, rows.validation, classes};
    TrainingResult result =
        train_head(data, initial_head(features.columns, classes, training), training, hooks);
    if (result.interrupted)
      throw Interrupted("interrupted: the features are cached, nothing was written to the output folder");
    return result;
  } catch (const Interrupted&) {
    throw;
  } catch (const std::invalid_argument& error) {
    throw Error{Error::Kind::kFailed, "cannot train the head", error.what(), "check the training options"};
  } catch (const std::runtime_error& error) {
    throw Error{Error::Kind::kFailed, "training diverged", error.what(), "lower --learning-rate"};
  }
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
                                        const Head& head, const FeatureRows& features, double penalty) {
  if (members.empty()) return std::nullopt;
  Evaluated split;
  split.name = name;
  std::vector<std::int32_t> labels;
  for (const RowIndex row : members) {
    split.samples.push_back(dataset.used[static_cast<std::size_t>(row)]);
    labels.push_back(rows.labels[static_cast<std::size_t>(row)]);
  }
  const Matrix logits = predict_logits(head, features, members);
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
              {"cache_misses", dataset.extracted}}}};
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
  json["solver"] = "primal";
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
       fmt::format("{} of VGG16, weights {}", to_string(options.tap), stage_one.weights().identity.hex())},
      {"head", hidden.empty() ? "linear" : "hidden layers of " + hidden},
      {"training", fmt::format("SGD, learning rate {}, momentum {}{}, L2 {}, batch {}, {} of {} epochs, "
                               "weights of epoch {}, seed {}",
                               options.training.learning_rate, options.training.momentum,
                               options.training.nesterov ? " (Nesterov)" : "", options.training.l2,
                               options.training.batch, result.history.size(), options.training.epochs,
                               result.best_epoch + 1, options.training.seed)},
      {"cache", printable((stage_one.cache_folder() / stage_one.configuration().fingerprint()).string())},
      {"version", HEADSTART_VERSION}};
  return report;
}

void write_output(const OutputFolder& out, const ExtractedDataset& dataset,
                  const std::vector<Evaluated>& splits, const TrainingResult& result, StageOne& stage_one,
                  const TrainOptions& options, double train_seconds) {
  const auto& folder = out.staging();
  Model model{stage_one.weights(),
              stage_one.configuration(),
              options.tap,
              result.head,
              dataset.manifest.classes,
              {options.training.learning_rate, options.training.momentum, options.training.nesterov,
               options.training.l2, options.training.label_smoothing}};
  write_model(model, folder / "model.h5");
  write_file(folder / "metrics.json", metrics_json(dataset, splits, result, stage_one, options, train_seconds)
                                              .dump(2, ' ', false, Json::error_handler_t::replace) +
                                          "\n");
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
  write_file(folder / "report.html", report_html(report_of(dataset, splits, result, stage_one, options)));
}

void dry_run(const TrainOptions& options, const Session& session) {
  StageOne stage_one(load_weights(options.stage_one.weights), {options.tap}, options.stage_one, session);
  print_plan(options.dataset, 2, stage_one);
}

}  // namespace

void run_train(const TrainOptions& options, const Session& session) {
  if (options.dry_run) return dry_run(options, session);
  OutputFolder out(options.out);
  StageOne stage_one(load_weights(options.stage_one.weights), {options.tap}, options.stage_one, session);
  ExtractedDataset dataset = extract_dataset(options.dataset, 2, options.stage_one, session, stage_one);
  session.console.note("stage one: " + describe(dataset));

  assign_splits(dataset, options);
  const Rows rows = rows_of(dataset);
  check_trainable(dataset, rows, options, session.console);
  const CsrRows features = stage_one.features(keys_of(dataset));
  session.console.note(fmt::format(
      "stage two: {} training and {} validation images, {} features, {:.1f} % of them zero",
      rows.training.size(), rows.validation.size(), features.columns,
      100.0 - 100.0 * static_cast<double>(features.values.size()) /
                  (static_cast<double>(features.rows()) * static_cast<double>(features.columns))));

  const auto start = std::chrono::steady_clock::now();
  const auto classes = static_cast<int>(dataset.manifest.classes.size());
  const TrainingResult result = train(view_of(features), rows, options, classes, session);
  const double train_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();

  const double penalty = l2_penalty(result.head, options.training.l2);
  std::vector<Evaluated> splits;
  for (const auto& [name, members] :
       {std::pair{"training", &rows.training}, std::pair{"validation", &rows.validation},
        std::pair{"test", &rows.test}}) {
    auto split = evaluate_split(name, dataset, rows, *members, result.head, view_of(features), penalty);
    if (split) splits.push_back(std::move(*split));
  }
  write_output(out, dataset, splits, result, stage_one, options, train_seconds);
  out.publish();

  std::vector<std::pair<std::string, const SplitMetrics*>> table;
  table.reserve(splits.size());
  for (const Evaluated& split : splits) table.emplace_back(split.name, &split.metrics);
  fmt::print("{}\nmodel:  {}\nreport: {}\n", metrics_table(table), (options.out / "model.h5").string(),
             (options.out / "report.html").string());
}

}  // namespace headstart
