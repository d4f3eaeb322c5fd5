// pipeline/commands/model_options.cpp
#include "pipeline/commands/model_options.hpp"

#include <filesystem>

#include "pipeline/commands/shared_options.hpp"

namespace headstart {
namespace {

constexpr const char* kViewsHelp =
    "Random crops and flips of each image whose predictions are averaged with its own";

void add_model(CLI::App& app, std::filesystem::path& model) {
  app.add_option("model", model, "model.h5 of a training run")->required()->type_name("");
}

}  // namespace

void add_evaluate(CLI::App& app, EvaluateOptions& options) {
  add_model(app, options.model);
  add_dataset(app, options.dataset, options.stage_one.images);
  app.add_option("--json", options.json, "Write the metrics to this file as well")->type_name("FILE");
  add_views(app, options.views, kViewsHelp);
  add_engine(app, options.stage_one);
  add_admission(app, options.stage_one.images);
}

void add_predict(CLI::App& app, PredictOptions& options) {
  static const Names<PredictionFormat> formats{{"csv", PredictionFormat::kCsv},
                                               {"jsonl", PredictionFormat::kJson}};
  add_model(app, options.model);
  app.add_option("path", options.paths,
                 "Images, folders of images or archives; - reads a list of them from stdin, one a line")
      ->required()
      ->type_name("")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option("-o,--out", options.out, "Write to this file instead of stdout")->type_name("FILE");
  add_choice(app, "--format", options.format, formats, "CSV with a header, or one JSON object a line");
  add_number(app, "--top-k", options.top_k, 1, 1e6,
             "So many classes for each image, the most probable first");
  add_number(app, "--threshold", options.threshold, 0, 1,
             "Least probability of a prediction; below it an image is of no class: --unknown");
  app.add_option("--unknown", options.unknown, "What stands for the class of such an image")
      ->type_name("NAME")
      ->default_str(options.unknown);
  app.add_option("--explain", options.explanations,
                 "Write a PNG for each image into this folder: what its class was seen by (Grad-CAM)")
      ->type_name("DIR");
  add_views(app, options.views, kViewsHelp);
  add_engine(app, options.stage_one);
  add_admission(app, options.stage_one.images);
}

void add_export(CLI::App& app, ExportOptions& options) {
  static const Names<ModelFormat> formats{{"onnx", ModelFormat::kOnnx}, {"keras", ModelFormat::kKeras}};
  add_model(app, options.model);
  add_choice(app, "--to", options.format, formats,
             "ONNX, uint8 pixels to probabilities; or Keras, float pixels to probabilities")
      ->required()
      ->default_str("");
  app.add_option("-o,--out", options.out, "The file to write; an existing one is replaced")
      ->required()
      ->type_name("FILE");
}

}  // namespace headstart
