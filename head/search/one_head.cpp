// head/search/one_head.cpp
#include "head/search/one_head.hpp"

#include <cstdint>
#include <vector>

#include "head/divergence.hpp"
#include "head/layers/softmax_cross_entropy.hpp"

namespace headstart {
namespace {

// Layers as train_layers() takes them: the solver has the first one's kernel.
std::vector<Dense> initial_layers(const TrainingOptions& options, int classes) {
  // One feature is enough: the first kernel is dropped, and each layer has its own generator.
  std::vector<Dense> layers = initial_head(1, classes, options).layers;
  layers.front().kernel.resize(0, 0);
  return layers;
}

}  // namespace

TrainingOptions beside_others(TrainingOptions options) {
  options.threads = 1;
  options.processes = nullptr;
  return options;
}

FoldCurve train_one_head(FirstLayer& first, const TrainingData& data, const TrainingOptions& options,
                         bool keep_logits, const Cancellation& cancellation) {
  std::vector<std::int32_t> labels;
  for (const RowIndex row : data.validation) labels.push_back(data.labels[static_cast<std::size_t>(row)]);
  FoldCurve curve;
  TrainingHooks hooks;
  hooks.cancellation = cancellation;
  hooks.on_validation = [&](const Matrix& logits) {
    Matrix gradient = logits;
    const BatchLoss loss = softmax_cross_entropy(gradient, labels, {});
    curve.cross_entropy.push_back(loss.loss);
    curve.correct.push_back(loss.correct);
    if (keep_logits && curve.correct.size() == static_cast<std::size_t>(options.epochs))
      curve.last_logits = logits;
  };
  try {
    static_cast<void>(train_layers(data, first, initial_layers(options, data.classes), options, hooks));
  } catch (const Divergence&) {
    curve.diverged = true;
  }
  return curve;
}

}  // namespace headstart
