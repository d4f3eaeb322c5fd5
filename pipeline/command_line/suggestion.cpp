// pipeline/command_line/suggestion.cpp
#include "pipeline/command_line/suggestion.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace headstart {
namespace {

std::size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, substituted}));
    }
  }
  return row[b.size()];
}

/// A word of another library, and the option that does the same.
struct Synonym {
  std::string_view word;
  std::string_view option;
};
constexpr Synonym kSynonyms[] = {
    {"lr", "learning-rate"},
    {"eta0", "learning-rate"},
    {"learning-rate-init", "learning-rate"},
    {"n-epochs", "epochs"},
    {"num-epochs", "epochs"},
    {"max-iter", "epochs"},
    {"iterations", "epochs"},
    {"batchsize", "batch-size"},
    {"batch", "batch-size"},
    {"batch", "engine-batch"},
    {"batch-size", "engine-batch"},
    {"units", "hidden"},
    {"hidden-units", "hidden"},
    {"hidden-layers", "hidden"},
    {"hidden-layer-sizes", "hidden"},
    {"dense", "hidden"},
    {"weight-decay", "l2"},
    {"decay", "l2"},
    {"regularization", "l2"},
    {"kernel-regularizer", "l2"},
    {"lambda", "l2"},
    {"drop-out", "dropout"},
    {"dropout-rate", "dropout"},
    {"patience", "early-stopping"},
    {"n-iter-no-change", "early-stopping"},
    {"lr-schedule", "schedule"},
    {"scheduler", "schedule"},
    {"validation-split", "validation"},
    {"val-split", "validation"},
    {"test-size", "validation"},
    {"validation-fraction", "validation"},
    {"random-state", "seed"},
    {"random-seed", "seed"},
    {"class-weights", "class-weight"},
    {"augment", "views"},
    {"augmentation", "views"},
    {"data-augmentation", "views"},
    {"horizontal-flip", "views"},
    {"tta", "views"},
    {"image-size", "input-size"},
    {"img-size", "input-size"},
    {"target-size", "input-size"},
    {"input-shape", "input-size"},
    {"crop-to-aspect-ratio", "resize"},
    {"layer", "tap"},
    {"layers", "tap"},
    {"scaler", "transform"},
    {"normalize", "transform"},
    {"normalization", "transform"},
    {"cv", "folds"},
    {"n-splits", "folds"},
    {"k-folds", "folds"},
    {"n-jobs", "threads"},
    {"jobs", "threads"},
    {"workers", "threads"},
    {"num-workers", "threads"},
    {"device", "engine"},
    {"gpu", "engine"},
    {"backend", "engine"},
    {"output", "out"},
    {"output-dir", "out"},
    {"pretrained", "weights"},
    {"model", "from"},
    {"gradcam", "explain"},
    {"grad-cam", "explain"},
    {"top", "top-k"},
};

/// A word of another library that no option stands for, and what there is instead.
struct Instead {
  std::string_view word;
  std::string_view text;
};
constexpr Instead kInstead[] = {
    {"optimizer", "the optimizer is SGD: --learning-rate, --momentum and --nesterov"},
    {"adam", "the optimizer is SGD: --learning-rate, --momentum and --nesterov"},
    {"activation", "hidden layers have ReLU, the last one softmax"},
    {"loss", "the loss is categorical cross-entropy"},
    {"metrics", "all metrics are always measured: see metrics.json"},
    {"callbacks", "--early-stopping, --schedule and --checkpoint do what Keras's callbacks do"},
    {"shuffle", "images are always shuffled, in an order that --seed decides"},
    {"num-classes", "the classes are those of the dataset"},
    {"restore-best-weights", "the best epoch's weights are kept with any --early-stopping"},
    {"trainable", "headstart finetune --blocks N trains the network's top VGG blocks"},
    {"unfreeze", "headstart finetune --blocks N trains the network's top VGG blocks"},
};

std::string_view without_hyphens(std::string_view word) {
  return word.substr(std::min(word.find_first_not_of('-'), word.size()));
}

}  // namespace

std::string nearest_name(const std::string& word, const std::vector<std::string>& names) {
  std::string best;
  std::size_t distance = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string& name : names) {
    const std::size_t candidate = edit_distance(word, name);
    if (candidate < distance) {
      distance = candidate;
      best = name;
    }
  }
  return best;
}

std::string suggestion(const std::string& word, const std::vector<std::string>& names) {
  const std::string_view bare = without_hyphens(word);
  for (const auto& [synonym, option] : kSynonyms) {
    if (synonym != bare) continue;
    const auto found = std::find_if(names.begin(), names.end(), [meant = option](const std::string& name) {
      return without_hyphens(name) == meant;
    });
    if (found != names.end()) return "did you mean " + *found + "?";
  }
  const auto instead = std::find_if(std::begin(kInstead), std::end(kInstead),
                                    [&](const Instead& known) { return known.word == bare; });
  if (instead != std::end(kInstead)) return std::string(instead->text);
  const std::string nearest = nearest_name(word, names);
  return nearest.empty() ? nearest : "did you mean " + nearest + "?";
}

}  // namespace headstart
