// pipeline/commands/finetune_report.cpp
#include "pipeline/commands/finetune_report.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstddef>
#include <nlohmann/json.hpp>

#include "pipeline/process/text_table.hpp"
#include "pipeline/run/run_report.hpp"

namespace headstart {
namespace {

using Json = nlohmann::ordered_json;

template <typename Floats>
double relative_movement(const Floats& now, const Floats& then) {
  double moved = 0.0;
  double length = 0.0;
  for (std::size_t i = 0; i < now.size(); ++i) {
    const double d = static_cast<double>(now[i]) - static_cast<double>(then[i]);
    moved += d * d;
    length += static_cast<double>(then[i]) * static_cast<double>(then[i]);
  }
  return length > 0.0 ? std::sqrt(moved / length) : 0.0;
}

std::vector<std::vector<std::string>> movement_rows(const std::vector<Movement>& movements) {
  std::vector<std::vector<std::string>> rows{{"layer", "moved by"}};
  for (const Movement& movement : movements)
    rows.push_back({movement.layer, fmt::format("{:.2f} %", 100.0 * movement.relative)});
  return rows;
}

std::vector<std::vector<std::string>> comparison_rows(const std::vector<Evaluated>& before,
                                                      const std::vector<Evaluated>& after) {
  std::vector<std::vector<std::string>> rows{
      {"", "images", "loss before", "after", "accuracy before", "after"}};
  for (std::size_t i = 0; i < after.size(); ++i) {
    const SplitMetrics& was = before[i].metrics;
    const SplitMetrics& is = after[i].metrics;
    rows.push_back({after[i].name, fmt::format("{}", is.metrics.rows), fmt::format("{:.4f}", was.loss()),
                    fmt::format("{:.4f}", is.loss()), fmt::format("{:.4f}", was.metrics.accuracy),
                    fmt::format("{:.4f}", is.metrics.accuracy)});
  }
  return rows;
}

/// Where the run ended, for the user.
std::string outcome(const TrainingResult& result) {
  if (result.best_epoch < 0)
    return "No epoch was better on the validation images than the model it started from, which is kept.";
  return fmt::format("Weights of epoch {} of {}.", result.best_epoch + 1, result.history.size());
}

}  // namespace

std::vector<Movement> movements_of(std::span<const ConvolutionWeights> now,
                                   std::span<const ConvolutionWeights> then, const Head& head,
                                   const Head& initial, const Network& network) {
  std::vector<Movement> movements;
  const std::vector<NetworkLayer> layers = convolutions(network);
  const auto trained = std::span(layers).last(now.size());
  for (std::size_t i = 0; i < trained.size(); ++i)
    movements.push_back({trained[i].name, relative_movement(now[i].kernel, then[i].kernel)});
  for (std::size_t l = 0; l < head.layers.size(); ++l) {
    const auto floats = [](const Dense& dense) {
      return std::span(dense.kernel.data(), static_cast<std::size_t>(dense.kernel.size()));
    };
    movements.push_back({l + 1 == head.layers.size() ? "predictions" : fmt::format("hidden_{}", l + 1),
                         relative_movement(floats(head.layers[l]), floats(initial.layers[l]))});
  }
  return movements;
}

std::string finetune_text(const EndedRun& run, const FineTuning& tuning) {
  return fmt::format("{}\n{}\n{}\n", text_table(comparison_rows(tuning.before, run.splits)),
                     text_table(movement_rows(tuning.movements)), outcome(run.result));
}

Json finetune_json(const EndedRun& run, const FineTuning& tuning) {
  Json json = metrics_json(run);
  json["before"] = to_json(tuning.before, run.model.classes);
  Json& moved = json["moved"] = Json::array();
  for (const Movement& movement : tuning.movements)
    moved.push_back({{"layer", movement.layer}, {"relative_norm", movement.relative}});
  json["tuned_from_block"] = tuning.first_block;
  json["blocks_learning_rate"] = tuning.blocks_learning_rate;
  json["backprop"] = tuning.backprop;
  return json;
}

Report finetune_report(const EndedRun& run, const FineTuning& tuning, const DecodeOptions& decode) {
  Report report = report_of(run);
  report.searched = true;  // the head is already chosen
  const Network& network = run.model.configuration.network;
  report.facts.emplace_back(
      "fine-tuning",
      fmt::format("blocks {} to {} from {}, learning rate {} (head {}), L2-SP {}, by {}", tuning.first_block,
                  block_count(network), to_string(tap_below(network, tuning.first_block)),
                  tuning.blocks_learning_rate, run.training.learning_rate, tuning.l2_sp, tuning.backprop));
  report.tables.push_back(
      {"Before and after fine-tuning", outcome(run.result), comparison_rows(tuning.before, run.splits)});
  report.tables.push_back({"How far each layer moved",
                           "The size of the change over the size of the weights before.",
                           movement_rows(tuning.movements)});
  add_pictures(report, run.dataset.manifest, decode);
  return report;
}

}  // namespace headstart
