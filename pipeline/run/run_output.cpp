// pipeline/run/run_output.cpp
#include "pipeline/run/run_output.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "data/error.hpp"
#include "head/layers/softmax_cross_entropy.hpp"
#include "pipeline/process/write_file.hpp"
#include "pipeline/run/run_files.hpp"

namespace headstart {

using Json = nlohmann::ordered_json;

std::vector<Evaluated> evaluate_splits(const ExtractedDataset& dataset, const SplitRows& rows,
                                       std::span<const RowIndex> training,
                                       const std::function<Matrix(std::span<const RowIndex>)>& logits,
                                       double penalty) {
  std::vector<Evaluated> splits;
  const auto evaluate = [&](const char* name, std::span<const RowIndex> members) {
    if (members.empty()) return;
    Evaluated split;
    split.name = name;
    std::vector<std::int32_t> labels;
    for (const RowIndex row : members) {
      split.samples.push_back(dataset.used[static_cast<std::size_t>(row)]);
      labels.push_back(rows.labels[static_cast<std::size_t>(row)]);
    }
    split.logits = logits(members);
    split.metrics = {evaluate_logits(split.logits, labels), penalty};
    splits.push_back(std::move(split));
  };
  evaluate("training", training);
  evaluate("validation", rows.validation);
  evaluate("test", rows.test);
  return splits;
}

const Evaluated* find_split(const std::vector<Evaluated>& splits, std::string_view name) {
  const auto found =
      std::find_if(splits.begin(), splits.end(), [&](const Evaluated& split) { return split.name == name; });
  return found == splits.end() ? nullptr : &*found;
}

void warn_of_absurd_loss(const std::vector<Evaluated>& splits, int classes, double penalty,
                         Console& console) {
  const Evaluated* const training = find_split(splits, "training");
  const double guess = std::log(static_cast<double>(classes)) + penalty;
  if (training == nullptr || training->metrics.loss() <= guess) return;
  console.warn(fmt::format(
      "the head is worse than a guess: its loss on the training images is {:.4g}, and the same "
      "probability for every class has {:.4g}: lower --learning-rate, or let headstart sweep find "
      "one",
      training->metrics.loss(), guess));
}

Json to_json(const std::vector<Evaluated>& splits, const std::vector<std::string>& classes) {
  Json json = Json::object();
  for (const Evaluated& split : splits)
    json[split.name == "training" ? "train" : split.name] = to_json(split.metrics, classes);
  return json;
}

FeatureOrigin origin_of(const std::filesystem::path& dataset_path, const ExtractedDataset& dataset,
                        const StageOne& stage_one) {
  const std::optional<EngineDescription>& engine = dataset.extraction.engine;
  return {.name = dataset_path.string(),
          .stage_one = describe(dataset),
          .engine = std::string(to_string(stage_one.engine())),
          .network = engine
                         ? fmt::format("{} ({}: {})", engine->name, engine->version, engine->implementation)
                         : "none needed: every image was in the cache",
          .weights_identity = stage_one.weights().identity,
          .place = (stage_one.cache_folder() / stage_one.configuration().fingerprint()).string()};
}

Json metrics_json(const EndedRun& run) {
  const auto& [origin, dataset, splits, result, model, training_options, train_seconds] = run;
  std::size_t copies = 0;
  for (const DuplicateSet& set : dataset.duplicates) copies += set.rows.size() - 1;
  std::vector<double> epoch_seconds;
  for (const EpochResult& epoch : result.history) epoch_seconds.push_back(epoch.seconds);
  const double total = static_cast<double>(dataset.manifest.samples.size());
  Json json{{"version", HEADSTART_VERSION},
            {"format_version", kMetricsFormatVersion},
            {"classes", dataset.manifest.classes},
            {"images",
             {{"total", dataset.manifest.samples.size()},
              {"used", dataset.used.size()},
              {"rejected", dataset.images.rejected},
              {"duplicates", copies},
              {"cache_hits", dataset.images.cached},
              {"copies", dataset.images.copies},
              {"cache_misses", dataset.images.extracted}}},
            {"views", to_json(dataset.views)}};
  json["train"] = nullptr;  // fixes the order; the key exists even without such a split
  json["validation"] = nullptr;
  json.update(to_json(splits, dataset.manifest.classes));
  json["best_epoch"] = result.best_epoch + 1;  // people count from 1; 0: none was better than the start
  json["timing"] = {{"extract_seconds", dataset.extraction.seconds},
                    {"extract_images_per_second", total / std::max(dataset.extraction.seconds, 1e-9)},
                    {"train_seconds", train_seconds},
                    {"epoch_seconds", epoch_seconds}};
  json["engine"] = origin.engine;
  if (model.configuration.network != vgg16()) json["network"] = model.configuration.network.name;
  json["pooling"] = to_string(model.representation.pooling);
  json["transform"] = to_string(model.representation.transform);
  json["temperature"] = model.training.temperature;
  json["solver"] = to_string(result.solver);
  json["fingerprint"] = model.configuration.fingerprint();
  json["rows_sha256"] = rows_digest(dataset).hex();
  json["seed"] = training_options.seed;
  return json;
}

void write_run(const std::filesystem::path& folder, const EndedRun& run, std::future<void> model_file,
               const Json& metrics, const Report& report, const std::string& config, int top_k) {
  const ExtractedDataset& dataset = run.dataset;
  write_file(folder / "metrics.json", metrics.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  write_file(folder / "history.csv", history_csv(run.result.history));
  // Without a validation split the file still exists, with its header, so that scripts can rely on it.
  const Evaluated* const validation = find_split(run.splits, "validation");
  Matrix probabilities(0, static_cast<Eigen::Index>(dataset.manifest.classes.size()));
  if (validation != nullptr) {
    probabilities = validation->logits;
    softmax(probabilities);
  }
  write_file(folder / "predictions.csv",
             predictions_csv(dataset.manifest,
                             validation != nullptr ? validation->samples : std::vector<std::size_t>(),
                             probabilities, ranked_classes(top_k, dataset.manifest.classes.size())));
  write_file(folder / "images.csv", images_csv(dataset));
  write_file(folder / "class_indices.json", class_indices_json(dataset.manifest.classes));
  write_file(folder / "config.toml", config);
  write_file(folder / "report.html", report_html(report));
  model_file.get();
}

std::string splits_table(const std::vector<Evaluated>& splits) {
  std::vector<std::pair<std::string, const SplitMetrics*>> table;
  table.reserve(splits.size());
  for (const Evaluated& split : splits) table.emplace_back(split.name, &split.metrics);
  return metrics_table(table);
}

}  // namespace headstart
