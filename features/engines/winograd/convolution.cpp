// features/engines/winograd/convolution.cpp
#include "features/engines/winograd/convolution.hpp"

#include <algorithm>
#include <limits>

namespace headstart::winograd {
namespace {

std::size_t divide_up(std::size_t a, std::size_t b) { return (a + b - 1) / b; }

}  // namespace

Convolution::Convolution(const Kernels& kernels, const Method& method, int images,
                         const ActivationMap& source, const ActivationMap& destination, Ending ending)
    : kernels_(kernels),
      method_(method),
      images_(static_cast<std::size_t>(images)),
      source_(source),
      destination_(destination),
      ending_(ending),
      grid_(TileGrid::of(source.shape, method.outputs)),
      groups_(destination.blocks() * kBlock / kernels.outputs),
      weights_(grid_.points() * in() * out()),
      bias_(out()) {}

void Convolution::set_weights(std::span<const float> kernel, std::span<const float> bias,
                              Workspace& workspace) {
  std::ranges::copy(bias, bias_.span().begin());
  workspace.for_each(source_.blocks() * groups_, [&](std::size_t task, float*) {
    const std::size_t channel = task % source_.blocks() * kBlock;
    const std::size_t group = task / source_.blocks();
    transform_weights({.kernel = kernel.data() + channel * out() + group * kernels_.outputs,
                       .tap_stride = in() * out(),
                       .channel_stride = out()},
                      channel, group);
  });
}

void Convolution::set_weights_of_way_back(std::span<const float> kernel, Workspace& workspace) {
  std::ranges::fill(bias_.span(), 0.0F);
  workspace.for_each(source_.blocks() * groups_, [&](std::size_t task, float*) {
    const std::size_t channel = task % source_.blocks() * kBlock;
    const std::size_t group = task / source_.blocks();
    alignas(64) float turned[9][kBlock][kMaxOutputChannels];
    for (std::size_t tap = 0; tap < 9; ++tap) {
      const float* from = kernel.data() + (tap * out() + group * kernels_.outputs) * in() + channel;
      for (std::size_t k = 0; k < kernels_.outputs; ++k, from += in()) {
        for (std::size_t c = 0; c < kBlock; ++c) turned[8 - tap][c][k] = from[c];
      }
    }
    transform_weights({.kernel = turned[0][0],
                       .tap_stride = kBlock * kMaxOutputChannels,
                       .channel_stride = kMaxOutputChannels},
                      channel, group);
  });
}

void Convolution::transform_weights(WeightRun run, std::size_t channel, std::size_t group) {
  const std::size_t panel = in() * kernels_.outputs;
  const std::size_t group_stride = method_.fused ? grid_.points() * panel : panel;
  run.channels = kBlock;
  run.transformed = weights_.span().data() + group * group_stride + channel * kernels_.outputs;
  run.point_stride = method_.fused ? panel : groups_ * panel;
  kernels_.transform_weights[grid_.outputs](run);
}

WorkspaceSize Convolution::workspace() const noexcept {
  WorkspaceSize size{.zeros = source_.row_stride()};
  if (method_.fused) {
    size.per_thread = grid_.points() *
                      (point_stride(in() * method_.tiles) + point_stride(kernels_.outputs * method_.tiles));
  } else {
    const std::size_t tiles = method_.images * grid_.per_image();
    size.shared = grid_.points() * (point_stride(in() * tiles) + point_stride(out() * tiles));
  }
  return size;
}

void Convolution::run(const float* source, float* destination, Workspace& workspace) const {
  const SourceRows rows = SourceRows::of(source_, source, workspace.zeros());
  if (method_.fused) {
    const std::size_t tiles = images_ * grid_.per_image();
    // The same number of tasks for each thread; this matters if there are few tasks.
    const std::size_t tasks =
        divide_up(divide_up(tiles, method_.tiles), workspace.threads()) * workspace.threads();
    workspace.for_each(tasks, [&](std::size_t task, float* scratch) {
      const std::size_t first = task * tiles / tasks;
      const std::size_t last = (task + 1) * tiles / tasks;
      if (first < last) run_fused(rows, first, last - first, destination, scratch);
    });
    return;
  }
  for (std::size_t first = 0; first < images_; first += method_.images) {
    run_phases(rows, first, std::min(method_.images, images_ - first), destination, workspace);
  }
}

void Convolution::run_tile_row(const SourceRows& source, std::size_t image, std::size_t tile_row,
                               float* destination, float* scratch) const {
  const std::size_t row = (image * grid_.rows + tile_row) * grid_.columns;
  for (std::size_t first = 0; first < grid_.columns; first += method_.tiles) {
    run_fused(source, row + first, std::min(method_.tiles, grid_.columns - first), destination, scratch);
  }
}

void Convolution::run_fused(const SourceRows& source, std::size_t first_tile, std::size_t tiles,
                            float* destination, float* scratch) const {
  const std::size_t panel = in() * kernels_.outputs;
  const std::size_t transformed_stride = point_stride(in() * tiles);
  const std::size_t products_stride = point_stride(kernels_.outputs * tiles);
  float* const products = scratch + grid_.points() * transformed_stride;
  transform_tiles(input_transform(source, first_tile, {tiles, kernels_.tiles}, scratch, transformed_stride),
                  {0, tiles}, {0, source_.blocks()});
  for (std::size_t group = 0; group < groups_; ++group) {
    kernels_.multiply({.transformed = scratch,
                       .transformed_point_stride = transformed_stride,
                       .weights = weights_.span().data() + group * grid_.points() * panel,
                       .weights_point_stride = panel,
                       .products = products,
                       .products_point_stride = products_stride,
                       .points = grid_.points(),
                       .tiles = tiles,
                       .blocks = source_.blocks()});
    transform_output(group, first_tile, tiles, products, products_stride, destination);
  }
}

void Convolution::run_phases(const SourceRows& source, std::size_t first_image, std::size_t images,
                             float* destination, Workspace& workspace) const {
  const std::size_t first_tile = first_image * grid_.per_image();
  const std::size_t tiles = images * grid_.per_image();
  const std::size_t panel = in() * kernels_.outputs;
  const std::size_t transformed_stride = point_stride(in() * tiles);
  const std::size_t group_size = kernels_.outputs * tiles;
  const std::size_t products_stride = point_stride(groups_ * group_size);
  float* const transformed = workspace.shared();
  float* const products = transformed + grid_.points() * transformed_stride;
  const TileTransform input =
      input_transform(source, first_tile, {tiles, kernels_.tiles}, transformed, transformed_stride);
  constexpr std::size_t kTilesAtOnce = 16;
  const std::size_t parts = divide_up(tiles, kTilesAtOnce);
  // A single image has few tiles, but many channels, so the channels are divided, too.
  const std::size_t slices = std::min(divide_up(2 * workspace.threads(), parts), source_.blocks());
  workspace.for_each(parts * slices, [&](std::size_t task, float*) {
    const std::size_t part = task / slices;
    const std::size_t slice = task % slices;
    transform_tiles(input, {part * tiles / parts, (part + 1) * tiles / parts},
                    {slice * source_.blocks() / slices, (slice + 1) * source_.blocks() / slices});
  });
  // Half of the outputs at a time. That makes enough tasks, and each task reads its inputs from L2 except
  // once.
  constexpr std::size_t kShares = 2;
  workspace.for_each(grid_.points() * kShares, [&](std::size_t task, float*) {
    const std::size_t point = task / kShares;
    const std::size_t share = task % kShares;
    for (std::size_t group = share * groups_ / kShares; group < (share + 1) * groups_ / kShares; ++group) {
      kernels_.multiply({.transformed = transformed + point * transformed_stride,
                         .weights = weights_.span().data() + (point * groups_ + group) * panel,
                         .products = products + point * products_stride + group * group_size,
                         .points = 1,
                         .tiles = tiles,
                         .blocks = source_.blocks()});
    }
  });
  workspace.for_each(groups_ * parts, [&](std::size_t task, float*) {
    const std::size_t group = task / parts;
    const std::size_t part = task % parts;
    const std::size_t first = part * tiles / parts;
    const std::size_t last = (part + 1) * tiles / parts;
    transform_output(group, first_tile + first, last - first,
                     products + group * group_size + first * kernels_.outputs, products_stride, destination);
  });
}

TileTransform Convolution::input_transform(const SourceRows& source, std::size_t first_tile,
                                           const TileParts& parts, float* transformed,
                                           std::size_t point_stride) const {
  return {.kernel = kernels_.transform_input[grid_.outputs],
          .grid = grid_,
          .border = 1,
          .height = static_cast<std::size_t>(source_.shape.height),
          .blocks = source_.blocks(),
          .source = source,
          .first_tile = first_tile,
          .parts = parts,
          .transformed = transformed,
          .point_stride = point_stride};
}

void Convolution::transform_output(std::size_t group, std::size_t first_tile, std::size_t tiles,
                                   const float* products, std::size_t point_stride,
                                   float* destination) const {
  const bool pool = ending_ == Ending::kReluAndPool;
  const std::size_t side = pool ? grid_.outputs / 2 : grid_.outputs;
  const auto height = static_cast<std::size_t>(destination_.shape.height);
  const auto width = static_cast<std::size_t>(destination_.shape.width);
  const auto kernel =
      pool ? kernels_.transform_output_and_pool[grid_.outputs] : kernels_.transform_output[grid_.outputs];
  const float least = ending_ == Ending::kNone ? -std::numeric_limits<float>::infinity() : 0.0F;
  const std::size_t end = first_tile + tiles;
  for (std::size_t tile = first_tile; tile < end;) {
    const std::size_t column = tile % grid_.columns;
    const std::size_t row = tile / grid_.columns % grid_.rows;
    const std::size_t image = tile / grid_.columns / grid_.rows;
    const std::size_t count = std::min(grid_.columns - column, end - tile);
    // A pool that rounds down may leave nothing of the last tile.
    const std::size_t rows = height - std::min(height, row * side);
    const std::size_t columns = width - std::min(width, column * side);
    const bool ends_row = column + count == grid_.columns;
    kernel({.products = products + (tile - first_tile) * kernels_.outputs,
            .point_stride = point_stride,
            .bias = bias_.span().data() + group * kernels_.outputs,
            .least = least,
            .tiles = count,
            .destination = destination + destination_.pixel(image, row * side, column * side) +
                           group * (kernels_.outputs / kBlock) * destination_.block_stride(),
            .block_stride = destination_.block_stride(),
            .row_stride = destination_.row_stride(),
            .rows = rows,
            .columns = columns,
            .zeros_before = column == 0 ? std::size_t{1} : 0,
            .zeros_after = ends_row ? destination_.zeros_after() : 0});
    tile += count;
  }
}

}  // namespace headstart::winograd
