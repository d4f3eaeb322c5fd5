// features/blocks/trainable_blocks.cpp: opens the backprop path with the given name.
#include "features/blocks/trainable_blocks.hpp"

#include <stdexcept>
#include <string>

#include "features/blocks/libtorch_blocks.hpp"
#include "features/blocks/native_blocks.hpp"
#include "features/blocks/onednn_blocks.hpp"

namespace headstart {
namespace {

void check(const BlocksOptions& options) {
  const auto refuse = [](const std::string& what) {
    throw std::invalid_argument("trainable blocks: " + what);
  };
  if (options.first_block < 2 || options.first_block > 5) refuse("the first block has to be 2 to 5");
  if (options.input_size < kMinInputSize || options.input_size > kMaxInputSize) refuse("input size");
  if (options.batch_size < 1) refuse("a batch needs a row");
  if (options.threads < 0) refuse("threads");
}

}  // namespace

std::string_view to_string(Backprop backprop) noexcept {
  switch (backprop) {
    case Backprop::kNative:
      return "native";
    case Backprop::kOnednn:
      return "onednn";
    case Backprop::kLibtorch:
      break;
  }
  return "libtorch";
}

std::unique_ptr<TrainableBlocks> open_trainable_blocks(const Vgg16Weights& weights,
                                                       const BlocksOptions& options) {
  check(options);
  if (options.backprop == Backprop::kLibtorch) return open_libtorch_blocks(weights, options);
  if (options.backprop == Backprop::kOnednn) return open_onednn_blocks(weights, options);
  return open_native_blocks(weights, options);
}

std::vector<BackpropAvailability> list_backprops() {
  return {probe_native_blocks(), probe_onednn_blocks(), probe_libtorch_blocks()};
}

}  // namespace headstart
