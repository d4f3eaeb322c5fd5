// features/engines/winograd/weight_gradient.cpp: see weight_gradient.hpp. Compute limits the speed: the
// products of each point. Transformed tiles lie as [point][channel / 16][tile][16]. So the two panels of a
// product, a few hundred cache lines each, are read from L1 again and again.
#include "features/engines/winograd/weight_gradient.hpp"

#include <algorithm>

namespace headstart::winograd {

WeightGradient::WeightGradient(const Kernels& kernels, const Method& method, int images,
                               const ActivationMap& source, const ActivationMap& gradient)
    : kernels_(kernels),
      images_(static_cast<std::size_t>(images)),
      images_at_once_(std::min(method.images, images_)),
      source_(source),
      gradient_(gradient),
      grid_(TileGrid::of(source.shape, method.outputs)) {}

WorkspaceSize WeightGradient::workspace() const noexcept {
  const std::size_t tiles = images_at_once_ * grid_.per_image();
  return {.shared = grid_.points() *
                    (point_stride(in() * tiles) + point_stride(out() * tiles) + point_stride(in() * out())),
          .zeros = std::max(source_.row_stride(), gradient_.row_stride())};
}

void WeightGradient::run(const float* source, const float* gradient, std::span<float> kernel,
                         Workspace& workspace) const {
  const std::size_t most_tiles = images_at_once_ * grid_.per_image();
  float* const transformed = workspace.shared();
  float* const gradients = transformed + grid_.points() * point_stride(in() * most_tiles);
  float* const sums = gradients + grid_.points() * point_stride(out() * most_tiles);
  for (std::size_t first = 0; first < images_; first += images_at_once_) {
    const std::size_t tiles = std::min(images_at_once_, images_ - first) * grid_.per_image();
    const auto transform = [&](const float* from, const ActivationMap& map, std::size_t border,
                               const auto& kernels, float* to) {
      const TileTransform all{.kernel = kernels[grid_.outputs],
                              .grid = grid_,
                              .border = border,
                              .height = static_cast<std::size_t>(map.shape.height),
                              .blocks = map.blocks(),
                              .source = SourceRows::of(map, from, workspace.zeros()),
                              .first_tile = first * grid_.per_image(),
                              .parts = {tiles, tiles},
                              .transformed = to,
                              .point_stride = point_stride(map.blocks() * kBlock * tiles)};
      constexpr std::size_t kTilesAtOnce = 16;
      const std::size_t parts = (tiles + kTilesAtOnce - 1) / kTilesAtOnce;
      workspace.for_each(parts, [&](std::size_t part, float*) {
        transform_tiles(all, {part * tiles / parts, (part + 1) * tiles / parts}, {0, map.blocks()});
      });
    };
    transform(source, source_, 1, kernels_.transform_input, transformed);
    transform(gradient, gradient_, 0, kernels_.transform_gradient, gradients);
    add_products(transformed, gradients, tiles, first == 0, sums, workspace);
  }
  workspace.for_each(source_.blocks() * groups(), [&](std::size_t task, float*) {
    const std::size_t channel = task % source_.blocks() * kBlock;
    const std::size_t group = task / source_.blocks();
    kernels_.transform_weight_gradients[grid_.outputs](
        {.transformed = sums + (group * in() + channel) * kernels_.outputs,
         .point_stride = point_stride(in() * out()),
         .channels = kBlock,
         .kernel = kernel.data() + channel * out() + group * kernels_.outputs,
         .tap_stride = in() * out(),
         .channel_stride = out()});
  });
}

void WeightGradient::add_products(const float* transformed, const float* gradients, std::size_t tiles,
                                  bool first, float* sums, Workspace& workspace) const {
  // A share of the inputs stays in L2 while all outputs are computed.
  const std::size_t shares = std::min<std::size_t>(4, source_.blocks());
  const std::size_t panel = tiles * kBlock;
  workspace.for_each(grid_.points() * shares, [&](std::size_t task, float*) {
    const std::size_t point = task / shares;
    const std::size_t share = task % shares;
    const float* const inputs = transformed + point * point_stride(in() * tiles);
    const float* const outputs = gradients + point * point_stride(out() * tiles);
    float* const products = sums + point * point_stride(in() * out());
    for (std::size_t group = 0; group < groups(); ++group) {
      for (std::size_t block = share * source_.blocks() / shares;
           block < (share + 1) * source_.blocks() / shares; ++block) {
        kernels_.multiply_gradient({.transformed = inputs + block * panel,
                                    .gradients = outputs + group * (kernels_.outputs / kBlock) * panel,
                                    .gradients_block_stride = panel,
                                    .tiles = tiles,
                                    .sums = products + (group * in() + block * kBlock) * kernels_.outputs,
                                    .add = !first});
      }
    }
  });
}

}  // namespace headstart::winograd
