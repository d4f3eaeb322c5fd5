// pipeline/commands/evaluate_command.cpp: headstart evaluate: a saved model on labelled images.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "data/error.hpp"
#include "head/insight/metrics.hpp"
#include "pipeline/commands/commands.hpp"
#include "pipeline/model/model_file.hpp"
#include "pipeline/model/model_session.hpp"
#include "pipeline/options/stage_one_description.hpp"
#include "pipeline/process/text_table.hpp"
#include "pipeline/process/write_file.hpp"
#include "pipeline/report/metrics_json.hpp"
#include "pipeline/rows/dataset_extraction.hpp"
#include "pipeline/rows/stage_one.hpp"
#include "pipeline/rows/stage_one_report.hpp"
#include "pipeline/run/output_check.hpp"

namespace headstart {
namespace {

using Json = nlohmann::ordered_json;

struct EvaluateOptions {
  std::filesystem::path model;
  std::filesystem::path dataset;
  std::filesystem::path json;  ///< empty: no file
  int views = 0;               ///< of each image; a prediction is the mean over the image and its views
  StageOneOptions stage_one;
};

void describe_evaluate(OptionList& list, EvaluateOptions& options) {
  describe_model(list, options.model);
  describe_dataset(list, options.dataset, options.stage_one.images);
  list({.name = "json", .help = "Write the metrics to this file as well", .value = "FILE"}, options.json);
  describe_views(list, options.views, kPredictedViewsHelp);
  describe_engine(list, options.stage_one);
  describe_admission(list, options.stage_one.images);
}

/// The model's label of every class of the dataset. Classes are matched by name, so their order and missing
/// classes do not matter.
std::vector<std::int32_t> match_classes(const std::vector<std::string>& dataset,
                                        const std::vector<std::string>& model, const std::string& where) {
  std::vector<std::int32_t> labels;
  for (const std::string& name : dataset) {
    const auto found = std::find(model.begin(), model.end(), name);
    if (found == model.end()) {
      throw Error{Error::Kind::kData, "the dataset does not fit the model",
                  fmt::format("{}: the model has no class '{}'", where, printable(name)),
                  "rename or remove that class"};
    }
    labels.push_back(static_cast<std::int32_t>(found - model.begin()));
  }
  return labels;
}

std::string class_table(const Metrics& metrics, const std::vector<std::string>& classes) {
  std::vector<std::vector<std::string>> rows{{"class", "precision", "recall", "F1", "images"}};
  for (std::size_t i = 0; i < classes.size(); ++i) {
    const ClassMetrics& c = metrics.per_class[i];
    rows.push_back({printable(classes[i]), fmt::format("{:.3f}", c.precision),
                    fmt::format("{:.3f}", c.recall), fmt::format("{:.3f}", c.f1),
                    fmt::format("{}", c.support)});
  }
  return text_table(rows);
}

void run_evaluate(const EvaluateOptions& options, const Session& session) {
  check_output("--json", options.json, {options.model, options.dataset, session.config_file});
  const Model model = read_model(options.model);
  const StageOneOptions stage_options = options_of(model, options.stage_one);
  StageOne stage_one(model.weights, {model.tap}, stage_options, session);
  Manifest manifest = find_images(options.dataset, 1, stage_options.images, session.console);
  const std::vector<std::int32_t> classes =
      match_classes(manifest.classes, model.classes, printable(options.dataset.string()));
  const ExtractedDataset dataset =
      extract_dataset(std::move(manifest), options.dataset, stage_options, session, stage_one, options.views);
  session.console.note("stage one: " + describe(dataset));

  std::vector<std::pair<std::string, SplitMetrics>> splits;
  const auto evaluate_rows = [&](const std::string& name, const auto& wanted) {
    std::vector<const ImageResult*> images;
    std::vector<std::int32_t> labels;
    for (const std::size_t row : dataset.used) {
      const Sample& sample = dataset.manifest.samples[row];
      if (!wanted(sample)) continue;
      images.push_back(&dataset.extraction.images[row]);
      labels.push_back(classes[static_cast<std::size_t>(sample.label)]);
    }
    if (images.empty()) return;
    const Matrix logits = predict_with_views(model, stage_one, images);
    if (!logits.allFinite()) {
      throw Error{Error::Kind::kData, "the model's head overflows", printable(options.model.string()),
                  "train it again: its weights are damaged or huge"};
    }
    splits.emplace_back(name, SplitMetrics{evaluate_logits(logits, labels), model.training.penalty});
  };
  if (dataset.manifest.has_given_splits) {
    for (const auto& [name, split] :
         {std::pair{"training", Split::kTrain}, std::pair{"validation", Split::kValidation},
          std::pair{"test", Split::kTest}}) {
      evaluate_rows(name, [wanted = split](const Sample& sample) { return sample.split == wanted; });
    }
  }
  evaluate_rows("all images", [](const Sample&) { return true; });

  if (!options.json.empty()) {
    Json json{{"version", HEADSTART_VERSION},
              {"format_version", kMetricsFormatVersion},
              {"classes", model.classes},
              {"images",
               {{"total", dataset.manifest.samples.size()},
                {"used", dataset.used.size()},
                {"rejected", dataset.images.rejected}}},
              {"views", to_json(dataset.views)}};
    for (const auto& [name, split] : splits)
      json[name == "all images" ? "all" : name] = to_json(split, model.classes);
    write_file(options.json, json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  }
  std::vector<std::pair<std::string, const SplitMetrics*>> table;
  table.reserve(splits.size());
  for (const auto& [name, split] : splits) table.emplace_back(name, &split);
  fmt::print("{}\n{}", metrics_table(table), class_table(splits.back().second.metrics, model.classes));
}

}  // namespace

Command evaluate_command() {
  return make_command<EvaluateOptions>(
      {.name = "evaluate", .purpose = "Measure a saved model on labelled images"}, describe_evaluate,
      run_evaluate);
}

}  // namespace headstart
