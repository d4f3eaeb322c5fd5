// pipeline/commands/export_command.cpp: headstart export: a saved model for other programs, including its
// preprocessing.
#include <fmt/format.h>

#include "data/error.hpp"
#include "pipeline/commands/commands.hpp"
#include "pipeline/model/keras_model.hpp"
#include "pipeline/model/model_file.hpp"
#include "pipeline/model/onnx_model.hpp"
#include "pipeline/options/stage_one_description.hpp"
#include "pipeline/run/output_check.hpp"

namespace headstart {
namespace {

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

void describe_export(OptionList& list, ExportOptions& options) {
  describe_model(list, options.model);
  list({.name = "to",
        .help = "ONNX, uint8 pixels to probabilities; or Keras, float pixels to probabilities",
        .required = true},
       options.format);
  list({.name = "out",
        .help = "The file to write; an existing one is replaced",
        .value = "FILE",
        .letter = "o",
        .required = true},
       options.out);
}

void run_export(const ExportOptions& options, const Session& session) {
  check_output("-o", options.out, {options.model, session.config_file});
  const Model model = read_model(options.model);
  const int size = model.configuration.resize.size;
  const char* type = "float32";
  switch (options.format) {
    case ModelFormat::kOnnx:
      write_onnx_model(model, options.out);
      type = "uint8";
      break;
    case ModelFormat::kKeras:
      write_keras_model_on_rgb(model, options.out);
      break;
  }
  session.console.note(
      fmt::format("takes RGB pixels, {0} [N, {1}, {1}, 3], 0 to 255; gives probabilities "
                  "[N, {2}], in the order of class_names inside",
                  type, size, model.classes.size()));
  fmt::print("{}\n", options.out.string());
}

}  // namespace

Command export_command() {
  return make_command<ExportOptions>(
      {.name = "export", .purpose = "Write a saved model, its preprocessing inside, for other programs"},
      describe_export, run_export);
}

}  // namespace headstart
