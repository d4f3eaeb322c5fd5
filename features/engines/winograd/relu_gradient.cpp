// features/engines/winograd/relu_gradient.cpp
#include "features/engines/winograd/relu_gradient.hpp"

#include <algorithm>
#include <cstddef>

namespace headstart::winograd {
namespace {

/// Calls row(image, block, y, sums) for all rows below `rows`. Then adds up each channel: over a row in
/// float32, over rows and images in double.
template <class Row>
void sum_over_rows(const ActivationMap& map, std::size_t rows, std::span<double> image_sums,
                   std::span<float> bias, Workspace& workspace, const Row& row) {
  const std::size_t channels = map.blocks() * kBlock;
  const std::size_t images = image_sums.size() / channels;
  workspace.for_each(images * map.blocks(), [&](std::size_t task, float*) {
    double* const sums = image_sums.data() + task * kBlock;
    std::fill_n(sums, kBlock, 0.0);
    for (std::size_t y = 0; y < rows; ++y) {
      alignas(64) float of_row[kBlock];
      row(task / map.blocks(), task % map.blocks(), y, of_row);
      for (std::size_t c = 0; c < kBlock; ++c) sums[c] += static_cast<double>(of_row[c]);
    }
  });
  for (std::size_t c = 0; c < channels; ++c) {
    double sum = 0.0;
    for (std::size_t image = 0; image < images; ++image) sum += image_sums[image * channels + c];
    bias[c] = static_cast<float>(sum);
  }
}

}  // namespace

void gate(const Kernels& kernels, const float* output, const ActivationMap& output_map, float* gradient,
          const ActivationMap& gradient_map, std::span<double> image_sums, std::span<float> bias,
          Workspace& workspace) {
  sum_over_rows(
      gradient_map, static_cast<std::size_t>(gradient_map.shape.height), image_sums, bias, workspace,
      [&](std::size_t image, std::size_t block, std::size_t y, float* sums) {
        kernels.gate_row(
            {.outputs = output + output_map.pixel(image, y, 0) + block * output_map.block_stride(),
             .gradients = gradient + gradient_map.pixel(image, y, 0) + block * gradient_map.block_stride(),
             .columns = static_cast<std::size_t>(gradient_map.shape.width),
             .sums = sums});
      });
}

void unpool_and_gate(const Kernels& kernels, const float* output, const ActivationMap& output_map,
                     const float* pooled, const ActivationMap& pooled_map, float* gradient,
                     const ActivationMap& gradient_map, std::span<double> image_sums, std::span<float> bias,
                     Workspace& workspace) {
  const auto height = static_cast<std::size_t>(gradient_map.shape.height);
  const auto width = static_cast<std::size_t>(gradient_map.shape.width);
  const auto columns = static_cast<std::size_t>(pooled_map.shape.width);
  // Clears the positions that no window covers, from `from` to the row's end, and the zeros around the row.
  const auto clear = [&](float* row, std::size_t from) {
    std::fill_n(row - kBlock, kBlock, 0.0F);
    std::fill(row + from * kBlock, row + (width + gradient_map.zeros_after()) * kBlock, 0.0F);
  };
  sum_over_rows(gradient_map, static_cast<std::size_t>(pooled_map.shape.height), image_sums, bias, workspace,
                [&](std::size_t image, std::size_t block, std::size_t y, float* sums) {
                  const float* const outputs =
                      output + output_map.pixel(image, 2 * y, 0) + block * output_map.block_stride();
                  float* const gradients =
                      gradient + gradient_map.pixel(image, 2 * y, 0) + block * gradient_map.block_stride();
                  kernels.unpool_row(
                      {.outputs = {outputs, outputs + output_map.row_stride()},
                       .pooled = pooled + pooled_map.pixel(image, y, 0) + block * pooled_map.block_stride(),
                       .columns = columns,
                       .gradients = {gradients, gradients + gradient_map.row_stride()},
                       .sums = sums});
                  clear(gradients, 2 * columns);
                  clear(gradients + gradient_map.row_stride(), 2 * columns);
                  if (2 * y + 3 == height) clear(gradients + 2 * gradient_map.row_stride(), 0);
                });
}

}  // namespace headstart::winograd
