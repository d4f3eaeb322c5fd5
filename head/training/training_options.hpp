// head/training/training_options.hpp: how a head is trained. describe() lists the options that people set,
// each with its name, help and bounds, in one place. A new option is a field and its lines here, its formula
// and a test.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <vector>

#include "head/layers/process_group.hpp"
#include "head/layers/solver.hpp"
#include "head/training/schedule.hpp"

namespace headstart {

/// The loss and accuracy of a head on the validation rows.
struct ValidationScore {
  double loss = 0.0;      ///< penalty included, as in a history
  double accuracy = 0.0;  ///< share of the rows, 0 to 1
};

/// The head and its training; the defaults are Keras's, with L2 added.
struct TrainingOptions {
  std::vector<int> hidden{1024};  ///< widths of the ReLU layers; empty: a linear classifier
  double learning_rate = 0.001;
  double momentum = 0.9;
  bool nesterov = false;
  double l2 = 1e-4;  ///< lambda of lambda * sum(W^2), on every weights matrix, not on a bias
  double label_smoothing = 0.0;
  double dropout = 0.0;  ///< share of every hidden layer's activations that a step leaves out, in [0, 1)
  int epochs = 10;
  int batch = 32;
  Schedule schedule = Schedule::kConstant;
  Solver solver = Solver::kAuto;
  std::uint64_t seed = 0;

  // Not described here: a command sets these from other options, or they are for tests.
  bool shuffle = true;  ///< a new order in every epoch; off: row order, for tests against recorded runs
  /// Epochs without a better validation loss before stopping. The result has the best weights.
  std::optional<int> early_stopping{};
  /// The score of the initial head. With early stopping, an epoch with a lower accuracy never counts as
  /// better. If no epoch is better, the result is the initial head, as that of epoch -1.
  std::optional<ValidationScore> to_beat{};
  /// Epochs over which the learning rate grows, step by step, from 0 to that of the schedule (Goyal et al.,
  /// arXiv 1706.02677, section 2.2). Need not be a whole number.
  double warm_up = 0.0;
  /// Largest norm of a step's gradient over all trained weights, L2 included; a longer gradient is scaled
  /// down to this norm. Only for first layers that can compute their gradient's norm.
  std::optional<double> clip_norm{};
  std::vector<float> class_weights{};  ///< [classes], or empty
  int threads = 0;                     ///< 0: all that the process may use
  /// Processes that train this head together, each with the same data and options; null: this process is
  /// alone.
  ProcessGroup* processes = nullptr;
};

/// Calls `option(facts, field)` for each option. The facts are a braced list of the fields of OptionFacts
/// (pipeline/options/option.hpp), so that head/ knows no command line.
template <typename Visitor, typename Options>
requires std::same_as<std::remove_const_t<Options>, TrainingOptions>
void describe(Visitor&& option, Options& o) {
  option({.name = "hidden",
          .help = "Widths of the hidden layers of one head, with commas between; 0: none",
          .high = 65536,
          .searched = true},
         o.hidden);
  option({.name = "learning-rate",
          .help = "Learning rate of SGD",
          .low = 1e-12,
          .high = 1e6,
          .alias = "lr",
          .excluded_by = "rate",
          .recorded = true,
          .searched = true},
         o.learning_rate);
  option({.name = "momentum", .help = "Momentum", .high = 0.999999, .recorded = true}, o.momentum);
  option({.name = "nesterov", .help = "Nesterov's momentum", .recorded = true}, o.nesterov);
  option({.name = "l2",
          .help = "Lambda of lambda * sum(W^2), on weights without biases",
          .high = 1e6,
          .recorded = true,
          .searched = true},
         o.l2);
  option({.name = "label-smoothing",
          .help = "Share of each target that is spread over all classes",
          .high = 0.999,
          .recorded = true},
         o.label_smoothing);
  option({.name = "dropout",
          .help = "Share of the hidden activations that every step leaves out",
          .high = 0.999},
         o.dropout);
  option({.name = "epochs", .help = "Passes over the training images", .low = 1, .searched = true}, o.epochs);
  option({.name = "batch-size",
          .help = "Training images in one step",
          .low = 1,
          .alias = "batch",
          .in_0_1_0 = "batch"},
         o.batch);
  option({.name = "schedule", .help = "How the learning rate changes over the epochs", .searched = true},
         o.schedule);
  option(
      {.name = "solver",
       .help = "How the first layer is trained: gram suits few images, primal many; auto takes the cheaper. "
               "The numbers are the same",
       .harmless = true},
      o.solver);
  option({.name = "seed", .help = "Seed of the split, the initial weights and the order", .high = 9e15},
         o.seed);
}

}  // namespace headstart
