// features/libtorch_blocks_none.cpp: see libtorch_blocks.hpp.
#include "data/error.hpp"
#include "features/libtorch_blocks.hpp"

namespace headstart {
namespace {

constexpr const char* kMissing = "this build has no libtorch";

}  // namespace

std::unique_ptr<TrainableBlocks> open_libtorch_blocks(const Vgg16Weights&, const BlocksOptions&) {
  throw Error{Error::Kind::kFailed, kMissing, "--backprop libtorch",
              "leave it out, or build with libtorch (Debian: libtorch-dev)"};
}

BackpropAvailability probe_libtorch_blocks() { return {Backprop::kLibtorch, false, kMissing}; }

}  // namespace headstart
