// head/training/training_checks.cpp
#include "head/training/training_checks.hpp"

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <string>

namespace headstart {
namespace {

[[noreturn]] void refuse(const std::string& what) { throw std::invalid_argument("training: " + what); }

void check_rows(std::span<const RowIndex> rows, const std::string& kind, const TrainingData& data) {
  for (const RowIndex row : rows) {
    if (row < 0 || static_cast<std::size_t>(row) >= data.labels.size()) {
      refuse(kind + " row " + std::to_string(row) + " is not one of the " +
             std::to_string(data.labels.size()) + " feature rows");
    }
    const std::int32_t label = data.labels[static_cast<std::size_t>(row)];
    if (label < 0 || label >= data.classes) {
      refuse("label " + std::to_string(label) + " of row " + std::to_string(row) +
             " is out of range: needed 0 to " + std::to_string(data.classes - 1));
    }
  }
}

void check_data(const TrainingData& data) {
  if (data.classes < 1) refuse("found " + std::to_string(data.classes) + " classes, needed one or more");
  if (data.labels.size() != data.rows()) {
    refuse(std::to_string(data.labels.size()) + " labels for " + std::to_string(data.rows()) +
           " feature rows");
  }
  if (data.training.empty()) refuse("there is no training row");
  check_rows(data.training, "training", data);
  check_rows(data.validation, "validation", data);
}

void check_layers(const TrainingData& data, std::span<const Dense> layers, const TrainingOptions& options) {
  if (layers.size() != options.hidden.size() + 1) {
    refuse("the initial head has " + std::to_string(layers.size()) + " layers, needed " +
           std::to_string(options.hidden.size() + 1));
  }
  Eigen::Index inputs = data.columns();
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const Eigen::Index outputs = l < options.hidden.size() ? options.hidden[l] : data.classes;
    const Dense& layer = layers[l];
    const bool elsewhere = l == 0 && layer.kernel.size() == 0;  // the solver has it
    const bool fits = elsewhere || (layer.kernel.rows() == inputs && layer.kernel.cols() == outputs);
    if (!fits || layer.bias.size() != outputs || outputs < 1) {
      refuse("layer " + std::to_string(l) + " is " + std::to_string(layer.kernel.rows()) + " x " +
             std::to_string(layer.kernel.cols()) + " with " + std::to_string(layer.bias.size()) +
             " biases, needed " + std::to_string(inputs) + " x " + std::to_string(outputs) + " with " +
             std::to_string(outputs));
    }
    inputs = outputs;
  }
}

void check_options(const TrainingData& data, const TrainingOptions& options) {
  if (options.epochs < 1) refuse("found " + std::to_string(options.epochs) + " epochs, needed one or more");
  if (options.batch < 1) refuse("found a batch of " + std::to_string(options.batch) + ", needed one or more");
  if (options.early_stopping && data.validation.empty()) {
    refuse("early stopping watches the validation loss, but there is no validation row");
  }
  if (!(options.label_smoothing >= 0.0 && options.label_smoothing <= 1.0)) {
    refuse("label smoothing is " + std::to_string(options.label_smoothing) + ", needed 0 to 1");
  }
  if (data.source != nullptr && options.solver == Solver::kGram)
    refuse("the gram solver needs all rows in memory");
  if (options.to_beat && !options.early_stopping)
    refuse("a score to beat needs early stopping, which compares");
  if (!(options.warm_up >= 0.0))
    refuse("warm-up is " + std::to_string(options.warm_up) + ", needed 0 or more");
  if (options.clip_norm && !(*options.clip_norm > 0.0))
    refuse("the largest gradient is " + std::to_string(*options.clip_norm) + ", needed more than 0");
  if (!(options.dropout >= 0.0 && options.dropout < 1.0)) {
    refuse("dropout is " + std::to_string(options.dropout) + ", needed 0 to below 1");
  }
  if (!options.class_weights.empty() &&
      options.class_weights.size() != static_cast<std::size_t>(data.classes)) {
    refuse(std::to_string(options.class_weights.size()) + " class weights for " +
           std::to_string(data.classes) + " classes");
  }
}

}  // namespace

void check_training(const TrainingData& data, std::span<const Dense> layers, const TrainingOptions& options) {
  check_data(data);
  check_options(data, options);
  check_layers(data, layers, options);
}

void check_resumable(const TrainingState& state, const TrainingOptions& options) {
  const std::size_t done = state.history.size();
  if (done == 0 || done >= static_cast<std::size_t>(options.epochs)) {
    refuse("the state to go on from has " + std::to_string(done) + " epochs, needed 1 to " +
           std::to_string(options.epochs - 1));
  }
  const bool watched = std::all_of(state.history.begin(), state.history.end(),
                                   [](const EpochResult& epoch) { return epoch.val_loss.has_value(); });
  const std::size_t best = options.early_stopping ? state.layers.size() : 0;
  if (state.best.size() != best || (options.early_stopping && !watched))
    refuse("the state to go on from is of a run with other early stopping");
}

}  // namespace headstart
