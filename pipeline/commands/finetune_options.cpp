// pipeline/commands/finetune_options.cpp
#include "pipeline/commands/finetune_options.hpp"

#include <cstdint>
#include <limits>
#include <optional>

#include "features/extraction/extractor.hpp"
#include "pipeline/commands/training_options.hpp"

namespace headstart {
namespace {

constexpr double kUnlimited = std::numeric_limits<std::int32_t>::max();
constexpr const char* kGroup = "Training";

template <typename T>
void add(CLI::App& app, const std::string& name, T& target, double low, double high,
         const std::string& text) {
  add_number(app, name, target, low, high, text)->group(kGroup);
}

/// An option whose value comes from the model if it is not given.
template <typename T>
void add_from_model(CLI::App& app, const std::string& name, std::optional<T>& target, double low, double high,
                    const std::string& text, const std::string& otherwise = "the model's") {
  app.add_option_function<T>(
         name, [&target](const T& value) { target = value; }, text + " [" + otherwise + "]")
      ->type_name("N")
      ->check(number_between(low, high))
      ->group(kGroup);
}

}  // namespace

void add_finetune(CLI::App& app, FinetuneOptions& options) {
  static const Names<Backprop> backprops{
      {"native", Backprop::kNative}, {"onednn", Backprop::kOnednn}, {"libtorch", Backprop::kLibtorch}};
  TrainingOptions& t = options.training;
  app.add_option("--from", options.from,
                 "model.h5 of train or sweep to start from [train, with its defaults, into OUT first]")
      ->type_name("FILE");
  add(app, "--blocks", options.blocks, 1, 2, "How many of the top blocks are trained");
  add_choice(app, "--backprop", options.backprop, backprops, "What computes the gradients of the blocks")
      ->group(kGroup);
  add_from_model(app, "--learning-rate", options.learning_rate, 0, 1e6, "Learning rate of the blocks",
                 "1e-3 for rows of about unit length (unit, scale), else 1e-5");
  add_from_model(app, "--head-learning-rate", options.head_learning_rate, 0, 1e6,
                 "Learning rate of the dense layers");
  add_from_model(app, "--l2", options.l2, 0, 1e6,
                 "Lambda of lambda * sum(W^2), on kernels of blocks and head");
  add(app, "--l2-sp", options.l2_sp, 0, 1e6,
      "Lambda of lambda * sum((W - W0)^2), W0 being the blocks' kernels as they were");
  add_epochs(app, options);
  add(app, "--batch", t.batch, 1, 4096, "Training images in one step");
  add(app, "--warm-up", t.warm_up, 0, kUnlimited, "Epochs over which the learning rates grow from zero");
  add(app, "--clip-norm", options.clip_norm, 0, 1e9,
      "Longest gradient of a step, over all that is trained; 0: as it is");
  add(app, "--early-stopping", options.early_stopping, 0, kUnlimited,
      "Stop after so many epochs without a better validation loss; 0: never. The best epoch's weights are "
      "kept, or those from before if no epoch is better");
  add_steps(app, options);
  add_from_model(app, "--views", options.views, 0, kMaxViews,
                 "Random crops and flips of each training image to train on as well; cached like images");
  add_from_model(app, "--validation", options.validation, 0, 0.99,
                 "Share of each class held out, where the dataset gives no split");
  add_from_model(app, "--seed", options.seed, 0, 9e15, "Seed of the split and the order");
  add(app, "--window", options.window, 0, kUnlimited,
      "Rows that are in memory at a time, read again in every epoch; 0: all, or what memory allows");
}

}  // namespace headstart
