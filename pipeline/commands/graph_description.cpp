// pipeline/commands/graph_description.cpp
#include "pipeline/commands/graph_description.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "data/error.hpp"
#include "features/graph/graph_cost.hpp"
#include "features/graph/graph_taps.hpp"
#include "pipeline/process/text_table.hpp"

namespace headstart {
namespace {

/// "Conv 49, Clip 34, Add 10": the most frequent first.
std::string operators_of(const OnnxGraph& graph) {
  std::map<std::string_view, std::size_t> counts;
  for (const OnnxNode& node : graph.nodes) ++counts[node.operation];
  std::vector<std::pair<std::string_view, std::size_t>> sorted(counts.begin(), counts.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  std::vector<std::string> texts;
  texts.reserve(sorted.size());
  for (const auto& [operation, count] : sorted)
    texts.push_back(fmt::format("{} {}", printable(operation), count));
  return fmt::format("{}", fmt::join(texts, ", "));
}

std::string input_of(const GraphNetwork& network, int size) {
  const OnnxValue& input = network.graph().inputs.front();
  return fmt::format("{}: [N, 3, {}, {}] of {}{}", printable(input.name), size, size,
                     network.takes_bytes() ? "uint8" : "float32",
                     network.fixed_size() ? "" : "; other sizes as well, with --input-size");
}

std::string preprocessing_of(const GraphQuestion& question) {
  if (!question.preprocessing)
    return fmt::format("not stated: --preprocess has to say it: {}", preprocessing_names());
  const auto& [preprocessing, source] = *question.preprocessing;
  return fmt::format("{}: {} ({})", to_string(preprocessing), in_words(preprocessing), source);
}

std::string count_text(double count) {
  if (count >= 1e9) return fmt::format("{:.2f} billion", 1e-9 * count);
  return count >= 1e6 ? fmt::format("{:.2f} million", 1e-6 * count) : fmt::format("{:.0f}", count);
}

std::string shape_text_of(const MapShape& shape) {
  return fmt::format("{} x {} x {}", shape.height, shape.width, shape.channels);
}

std::string taps_text(const OnnxGraph& graph, const GraphShapes& shapes, bool all) {
  const std::optional<GraphTap> standard = default_tap(graph, shapes.values);
  std::vector<GraphTap> taps = all ? taps_of(graph, shapes.values) : tap_candidates(graph, shapes.values);
  const auto same_name = [&](const GraphTap& tap) { return standard && tap.name == standard->name; };
  if (standard && std::none_of(taps.begin(), taps.end(), same_name)) taps.push_back(*standard);
  std::vector<std::vector<std::string>> rows;
  rows.reserve(taps.size());
  for (const GraphTap& tap : taps) {
    rows.push_back({"  " + printable(tap.name), shape_text_of(tap.shape),
                    count_text(multiply_adds(graph, shapes.values, tap.name)),
                    count_text(parameter_count(graph, tap.name)), same_name(tap) ? "the default" : ""});
  }
  std::string text = text_table(rows);
  if (!standard) text += "  no default: pass one to --tap\n";
  if (!shapes.unknown_operations.empty()) {
    std::vector<std::string> unknown;
    for (const std::string& operation : shapes.unknown_operations) unknown.push_back(printable(operation));
    text += fmt::format("  not known behind {}: their shapes depend on what runs, or headstart has no rule\n",
                        fmt::join(unknown, ", "));
  }
  return text;
}

}  // namespace

std::string describe(const GraphNetwork& network, const GraphQuestion& question) {
  const OnnxGraph& graph = network.graph();
  const int size = question.input_size.value_or(network.default_size());
  const GraphShapes shapes = network.shapes(size);
  std::string made_by = fmt::format("ONNX, opset {}", graph.opset);
  if (!graph.producer.empty())
    made_by += fmt::format(", by {} {}", printable(graph.producer), printable(graph.producer_version));
  return fmt::format(
      "network         {} ({})\n  identity      {}\n  input         {}\n  a batch       {}\n  preprocessing "
      "{}\n"
      "  operators     {}\ntaps              height x width x channels, multiply-adds of an image, "
      "parameters{}\n{}",
      printable(std::filesystem::path(network.name()).filename().string()), made_by, network.identity().hex(),
      input_of(network, size), network.takes_batches() ? "of any size" : "of one image",
      preprocessing_of(question), operators_of(graph), question.all_taps ? "" : " (all: --taps)",
      taps_text(graph, shapes, question.all_taps));
}

}  // namespace headstart
