// features/winograd/convolution.cpp
#include "features/winograd/convolution.hpp"

#include <algorithm>

namespace headstart::winograd {
namespace {

std::size_t divide_up(std::size_t a, std::size_t b) { return (a + b - 1) / b; }

/// Distance between arrays of `floats` that are walked through side by side: an odd number of cache lines, as
/// a power of two would put all of them into the same few sets of the cache.
std::size_t point_stride(std::size_t floats) {
  const std::size_t lines = divide_up(floats, kBlock);
  return (lines | 1U) * kBlock;
}

/// U = G g G^T of `count` neighbouring output channels.
template <std::size_t kOutputs>
void transform_kernels(const float* kernel, std::size_t tap_stride, std::size_t count, float* out,
                       std::size_t point_stride) {
  using Matrices = CookToom<kOutputs>;
  constexpr std::size_t kInputs = Matrices::kInputs;
  constexpr std::size_t kAtOnce = 16;
  for (std::size_t first = 0; first < count; first += kAtOnce) {
    double rows[kInputs][3][kAtOnce];  // G g
    for (std::size_t i = 0; i < kInputs; ++i) {
      for (std::size_t x = 0; x < 3; ++x) {
        for (std::size_t k = 0; k < kAtOnce; ++k) {
          double sum = 0.0;
          for (std::size_t y = 0; y < 3; ++y) {
            sum +=
                Matrices::kKernel[i][y] * static_cast<double>(kernel[(y * 3 + x) * tap_stride + first + k]);
          }
          rows[i][x][k] = sum;
        }
      }
    }
    for (std::size_t i = 0; i < kInputs; ++i) {
      for (std::size_t j = 0; j < kInputs; ++j) {
        float* const to = out + (i * kInputs + j) * point_stride + first;
        for (std::size_t k = 0; k < kAtOnce; ++k) {
          to[k] = static_cast<float>(rows[i][0][k] * Matrices::kKernel[j][0] +
                                     rows[i][1][k] * Matrices::kKernel[j][1] +
                                     rows[i][2][k] * Matrices::kKernel[j][2]);
        }
      }
    }
  }
}

using TransformKernels = void (*)(const float*, std::size_t, std::size_t, float*, std::size_t);
constexpr TransformKernels kTransformKernels[] = {transform_kernels<4>, transform_kernels<5>,
                                                  transform_kernels<6>};

}  // namespace

Convolution::Convolution(const Kernels& kernels, const ConvolutionWeights& weights, const Method& method,
                         int images, const ActivationMap& source, const ActivationMap& destination, bool pool,
                         Workspace& threads)
    : kernels_(kernels),
      method_(method),
      images_(images),
      source_(source),
      destination_(destination),
      pool_(pool),
      points_(static_cast<std::size_t>((method.outputs + 2) * (method.outputs + 2))),
      tile_rows_(
          divide_up(static_cast<std::size_t>(source.shape.height), static_cast<std::size_t>(method.outputs))),
      tile_columns_(
          divide_up(static_cast<std::size_t>(source.shape.width), static_cast<std::size_t>(method.outputs))),
      groups_(static_cast<std::size_t>(destination.shape.channels) / kernels.outputs),
      weights_(points_ * static_cast<std::size_t>(source.shape.channels) *
               static_cast<std::size_t>(destination.shape.channels)),
      bias_(weights.bias.size()) {
  std::ranges::copy(weights.bias, bias_.span().begin());
  const auto in = static_cast<std::size_t>(source.shape.channels);
  const auto out = static_cast<std::size_t>(destination.shape.channels);
  const std::size_t panel = in * kernels_.outputs;
  const std::size_t group_stride = method_.fused ? points_ * panel : panel;
  const std::size_t stride = method_.fused ? panel : groups_ * panel;
  const auto transform = [&](std::size_t c) {
    for (std::size_t group = 0; group < groups_; ++group) {
      kTransformKernels[method_.outputs - kMinOutputs](
          weights.kernel.data() + c * out + group * kernels_.outputs, in * out, kernels_.outputs,
          weights_.span().data() + group * group_stride + c * kernels_.outputs, stride);
    }
  };
  threads.execute([&] { threads.for_each(in, [&](std::size_t c, float*) { transform(c); }); });
}

WorkspaceSize Convolution::workspace() const noexcept {
  const auto in = static_cast<std::size_t>(source_.shape.channels);
  const auto out = static_cast<std::size_t>(destination_.shape.channels);
  WorkspaceSize size{.zeros = source_.row_stride()};
  if (method_.fused) {
    size.per_thread =
        points_ * (point_stride(in * method_.tiles) + point_stride(kernels_.outputs * method_.tiles));
  } else {
    const std::size_t tiles = method_.images * tile_rows_ * tile_columns_;
    size.shared = points_ * (point_stride(in * tiles) + point_stride(out * tiles));
  }
  return size;
}

void Convolution::run(const float* source, float* destination, Workspace& workspace) const {
  const SourceRows rows{.data = source,
                        .image_stride = source_.image_stride(),
                        .block_stride = source_.block_stride(),
                        .row_stride = source_.row_stride(),
                        .stored_rows = static_cast<std::size_t>(source_.shape.height),
                        .zeros = workspace.zeros()};
  const auto images = static_cast<std::size_t>(images_);
  if (method_.fused) {
    const std::size_t tiles = images * tile_rows_ * tile_columns_;
    // As many for each thread, which matters where there are few.
    const std::size_t tasks =
        divide_up(divide_up(tiles, method_.tiles), workspace.threads()) * workspace.threads();
    workspace.for_each(tasks, [&](std::size_t task, float* scratch) {
      const std::size_t first = task * tiles / tasks;
      const std::size_t last = (task + 1) * tiles / tasks;
      if (first < last) run_fused(rows, first, last - first, destination, scratch);
    });
    return;
  }
  for (std::size_t first = 0; first < images; first += method_.images) {
    run_phases(rows, first, std::min(method_.images, images - first), destination, workspace);
  }
}

void Convolution::run_tile_row(const SourceRows& source, std::size_t image, std::size_t tile_row,
                               float* destination, float* scratch) const {
  const std::size_t row = (image * tile_rows_ + tile_row) * tile_columns_;
  for (std::size_t first = 0; first < tile_columns_; first += method_.tiles) {
    run_fused(source, row + first, std::min(method_.tiles, tile_columns_ - first), destination, scratch);
  }
}

void Convolution::run_fused(const SourceRows& source, std::size_t first_tile, std::size_t tiles,
                            float* destination, float* scratch) const {
  const auto in = static_cast<std::size_t>(source_.shape.channels);
  const std::size_t panel = in * kernels_.outputs;
  const std::size_t transformed_stride = point_stride(in * tiles);
  const std::size_t products_stride = point_stride(kernels_.outputs * tiles);
  float* const products = scratch + points_ * transformed_stride;
  transform_input(source, first_tile, {0, tiles}, {0, source_.blocks()}, {tiles, kernels_.tiles}, scratch,
                  transformed_stride);
  for (std::size_t group = 0; group < groups_; ++group) {
    kernels_.multiply({.transformed = scratch,
                       .transformed_point_stride = transformed_stride,
                       .weights = weights_.span().data() + group * points_ * panel,
                       .weights_point_stride = panel,
                       .products = products,
                       .products_point_stride = products_stride,
                       .points = points_,
                       .tiles = tiles,
                       .blocks = in / kBlock});
    transform_output(group, first_tile, tiles, products, products_stride, destination);
  }
}

void Convolution::run_phases(const SourceRows& source, std::size_t first_image, std::size_t images,
                             float* destination, Workspace& workspace) const {
  const auto in = static_cast<std::size_t>(source_.shape.channels);
  const std::size_t first_tile = first_image * tile_rows_ * tile_columns_;
  const std::size_t tiles = images * tile_rows_ * tile_columns_;
  const std::size_t panel = in * kernels_.outputs;
  const std::size_t transformed_stride = point_stride(in * tiles);
  const std::size_t group_size = kernels_.outputs * tiles;
  const std::size_t products_stride = point_stride(groups_ * group_size);
  float* const transformed = workspace.shared();
  float* const products = transformed + points_ * transformed_stride;
  constexpr std::size_t kTilesAtOnce = 16;
  const std::size_t parts = divide_up(tiles, kTilesAtOnce);
  // A single image has few tiles, but all the channels.
  const std::size_t slices = std::min(divide_up(2 * workspace.threads(), parts), source_.blocks());
  workspace.for_each(parts * slices, [&](std::size_t task, float*) {
    const std::size_t part = task / slices;
    const std::size_t slice = task % slices;
    transform_input(source, first_tile, {part * tiles / parts, (part + 1) * tiles / parts},
                    {slice * source_.blocks() / slices, (slice + 1) * source_.blocks() / slices},
                    {tiles, kernels_.tiles}, transformed, transformed_stride);
  });
  // Half of the outputs at a time: enough tasks to go round, and each reads its inputs from L2 all but once.
  constexpr std::size_t kShares = 2;
  workspace.for_each(points_ * kShares, [&](std::size_t task, float*) {
    const std::size_t point = task / kShares;
    const std::size_t share = task % kShares;
    for (std::size_t group = share * groups_ / kShares; group < (share + 1) * groups_ / kShares; ++group) {
      kernels_.multiply({.transformed = transformed + point * transformed_stride,
                         .weights = weights_.span().data() + (point * groups_ + group) * panel,
                         .products = products + point * products_stride + group * group_size,
                         .points = 1,
                         .tiles = tiles,
                         .blocks = in / kBlock});
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

void Convolution::transform_input(const SourceRows& source, std::size_t first_tile, Range tiles, Range blocks,
                                  const TileParts& parts, float* transformed,
                                  std::size_t point_stride) const {
  constexpr std::size_t kMaxRun = 64;
  TilePlace places[kMaxRun];
  const auto outputs = static_cast<std::size_t>(method_.outputs);
  const auto height = static_cast<std::size_t>(source_.shape.height);
  std::size_t part = tiles.begin * parts.parts / parts.tiles;
  for (std::size_t i = tiles.begin; i < tiles.end;) {
    const std::size_t column = (first_tile + i) % tile_columns_;
    const std::size_t row = (first_tile + i) / tile_columns_ % tile_rows_;
    const std::size_t image = (first_tile + i) / tile_columns_ / tile_rows_;
    InputRun run{.tiles = std::min({tile_columns_ - column, tiles.end - i, kMaxRun}),
                 .blocks = blocks.end - blocks.begin,
                 .places = places,
                 .point_stride = point_stride};
    for (std::size_t tile = 0; tile < run.tiles; ++tile, ++i) {
      while (i >= parts.first(part + 1)) ++part;
      const std::size_t first = parts.first(part);
      const std::size_t count = parts.first(part + 1) - first;
      places[tile] = {transformed + (first * source_.blocks() + blocks.begin * count + i - first) * kBlock,
                      count * kBlock};
    }
    for (std::size_t y = 0; y < outputs + 2; ++y) {
      const std::size_t from = row * outputs + y - 1;  // wraps above the map
      const bool inside = from < height;
      run.block_step[y] = inside ? static_cast<std::ptrdiff_t>(source.block_stride) : 0;
      run.rows[y] = (inside ? source.row(image, from) : source.zeros) + column * outputs * kBlock +
                    static_cast<std::ptrdiff_t>(blocks.begin) * run.block_step[y];
    }
    kernels_.transform_input[outputs](run);
  }
}

void Convolution::transform_output(std::size_t group, std::size_t first_tile, std::size_t tiles,
                                   const float* products, std::size_t point_stride,
                                   float* destination) const {
  const auto outputs = static_cast<std::size_t>(method_.outputs);
  const std::size_t side = pool_ ? outputs / 2 : outputs;
  const auto height = static_cast<std::size_t>(destination_.shape.height);
  const auto width = static_cast<std::size_t>(destination_.shape.width);
  const auto kernel =
      pool_ ? kernels_.transform_output_and_pool[outputs] : kernels_.transform_output[outputs];
  const std::size_t end = first_tile + tiles;
  for (std::size_t tile = first_tile; tile < end;) {
    const std::size_t column = tile % tile_columns_;
    const std::size_t row = tile / tile_columns_ % tile_rows_;
    const std::size_t image = tile / tile_columns_ / tile_rows_;
    const std::size_t count = std::min(tile_columns_ - column, end - tile);
    // A pool that rounds down may leave nothing of the last tile.
    const std::size_t rows = height - std::min(height, row * side);
    const std::size_t columns = width - std::min(width, column * side);
    const bool ends_row = column + count == tile_columns_;
    kernel({.products = products + (tile - first_tile) * kernels_.outputs,
            .point_stride = point_stride,
            .bias = bias_.span().data() + group * kernels_.outputs,
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
