// benchmarks/blocks.cpp: benchmark_blocks [--first-block N] [--batch N] [--threads N] [--rounds N]
// [--input-size N]: a training step of VGG16's top blocks by every backprop path that this build has, in
// turns: forward, back, step, and all three, milliseconds a sample. The paths' gradients are first held
// against one another.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "features/blocks/registry.hpp"
#include "features/network/known_networks.hpp"

namespace headstart {
namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  BlocksOptions blocks;
  int rounds = 7;
};

/// Weights of the size that keeps activations as large as they are (He et al., arXiv 1502.01852).
NetworkWeights made_up_weights() {
  NetworkWeights weights = empty_weights(vgg16());
  std::mt19937 random(1);
  const std::vector<NetworkLayer> layers = convolutions(vgg16());
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const auto in = static_cast<std::size_t>(layers[i].in_channels);
    const auto out = static_cast<std::size_t>(layers[i].out_channels);
    std::normal_distribution<float> value(0.0F, std::sqrt(2.0F / static_cast<float>(9 * in)));
    weights.layers[i].kernel.resize(9 * in * out);
    weights.layers[i].bias.resize(out);
    for (float& weight : weights.layers[i].kernel) weight = value(random);
  }
  return weights;
}

std::vector<float> normal(std::size_t count, float mean, float least, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> value(mean, 1.0F);
  std::vector<float> values(count);
  for (float& v : values) v = std::max(value(random), least);
  return values;
}

struct Contestant {
  std::unique_ptr<TrainableBlocks> blocks;
  double forward = 1e9;
  double back = 1e9;
  double step = 1e9;
  double all = 1e9;
};

/// Of the first layer's kernel, which is behind all the others.
double difference(TrainableBlocks& found, TrainableBlocks& expected) {
  const std::vector<float> a = found.gradients().front().kernel;
  const std::vector<float> b = expected.gradients().front().kernel;
  double squares = 0.0;
  double norm = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    squares += std::pow(static_cast<double>(a[i]) - static_cast<double>(b[i]), 2);
    norm += std::pow(static_cast<double>(b[i]), 2);
  }
  return std::sqrt(squares / norm);
}

void run(const Options& options) {
  const NetworkWeights weights = made_up_weights();
  std::vector<Contestant> contestants;
  for (const BackpropAvailability& path : list_backprops()) {
    if (!path.available) continue;
    contestants.push_back({open_trainable_blocks(weights, path.backprop, options.blocks)});
  }
  const Tap below = tap_below(vgg16(), options.blocks.first_block);
  const auto batch = static_cast<std::size_t>(options.blocks.batch_size);
  const std::vector<float> maps =
      normal(batch * tap_shape(vgg16(), below, options.blocks.input_size).size(), -0.7F, 0.0F, 2);
  const std::vector<float> gradient = normal(
      batch * tap_shape(vgg16(), Tap{"block5_pool"}, options.blocks.input_size).size(), 0.0F, -10.0F, 3);
  const BlocksStep step{.learning_rate = 0.0};
  fmt::print("blocks {} to 5, batch {}, input size {}; milliseconds a sample, fastest of {} rounds\n",
             options.blocks.first_block, batch, options.blocks.input_size, options.rounds);
  for (Contestant& contestant : contestants) {
    static_cast<void>(contestant.blocks->forward(maps));
    contestant.blocks->backward(gradient);
    // Decisions of ReLUs and pools next to a tie differ, and each moves the gradient.
    const double error = difference(*contestant.blocks, *contestants.front().blocks);
    if (!(error < 1e-2)) throw std::runtime_error(fmt::format("gradients differ by {}", error));
  }
  for (int round = 0; round < options.rounds; ++round) {
    for (Contestant& contestant : contestants) {
      const auto begin = Clock::now();
      static_cast<void>(contestant.blocks->forward(maps));
      const auto forward = Clock::now();
      contestant.blocks->backward(gradient);
      const auto back = Clock::now();
      contestant.blocks->step(step);
      const auto end = Clock::now();
      const auto keep = [&](double& fastest, Clock::time_point from, Clock::time_point to) {
        const double milliseconds = std::chrono::duration<double, std::milli>(to - from).count();
        fastest = std::min(fastest, milliseconds / static_cast<double>(batch));
      };
      keep(contestant.forward, begin, forward);
      keep(contestant.back, forward, back);
      keep(contestant.step, back, end);
      keep(contestant.all, begin, end);
    }
  }
  fmt::print("{:>8} {:>8} {:>8} {:>8}\n", "forward", "back", "step", "all");
  for (const Contestant& contestant : contestants) {
    fmt::print("{:8.2f} {:8.2f} {:8.2f} {:8.2f}  {}\n", contestant.forward, contestant.back, contestant.step,
               contestant.all, contestant.blocks->description());
  }
}

Options parse(int count, char** arguments) {
  Options options;
  for (int i = 1; i < count; ++i) {
    const std::string_view name = arguments[i];
    if (i + 1 == count) throw std::runtime_error(fmt::format("{} needs a value", name));
    const int value = std::atoi(arguments[++i]);
    if (name == "--first-block") {
      options.blocks.first_block = value;
    } else if (name == "--batch") {
      options.blocks.batch_size = value;
    } else if (name == "--threads") {
      options.blocks.threads = value;
    } else if (name == "--rounds") {
      options.rounds = value;
    } else if (name == "--input-size") {
      options.blocks.input_size = value;
    } else {
      throw std::runtime_error(fmt::format("unknown option: {}", name));
    }
  }
  return options;
}

}  // namespace
}  // namespace headstart

int main(int count, char** arguments) {
  try {
    headstart::run(headstart::parse(count, arguments));
  } catch (const std::exception& error) {
    fmt::print(stderr, "benchmark_blocks: error: {}\n", error.what());
    return 1;
  }
  return 0;
}
