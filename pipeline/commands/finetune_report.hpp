// pipeline/commands/finetune_report.hpp: fine-tuning as text for the user, as JSON, and in the report.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

#include "data/image/decode.hpp"
#include "features/network/weights.hpp"
#include "head/training/trainer.hpp"
#include "pipeline/report/report.hpp"
#include "pipeline/run/run_output.hpp"

namespace headstart {

/// The size of the change of a layer's weights, over the size of the weights.
struct Movement {
  std::string layer;
  double relative = 0.0;
};

/// @param now   the convolutions of the trained VGG blocks  @param then  as they were before
[[nodiscard]] std::vector<Movement> movements_of(std::span<const ConvolutionWeights> now,
                                                 std::span<const ConvolutionWeights> then, const Head& head,
                                                 const Head& initial, const Network& network);

/// What fine-tuning did.
struct FineTuning {
  std::vector<Evaluated> before;  ///< the splits, with the model that the run started from
  std::vector<Movement> movements{};
  int first_block = 0;  ///< of the trained VGG blocks
  double blocks_learning_rate = 0.0;
  double l2_sp = 0.0;
  std::string backprop;  ///< what computed the gradients
};

/// The tables on stdout, and where the run ended.
[[nodiscard]] std::string finetune_text(const EndedRun& run, const FineTuning& tuning);
/// metrics.json.
[[nodiscard]] nlohmann::ordered_json finetune_json(const EndedRun& run, const FineTuning& tuning);
/// report.html. @param decode  for its pictures
[[nodiscard]] Report finetune_report(const EndedRun& run, const FineTuning& tuning,
                                     const DecodeOptions& decode);

}  // namespace headstart
