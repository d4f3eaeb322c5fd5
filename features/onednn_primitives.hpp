// features/onednn_primitives.hpp: the two primitives that VGG16 is made of, planned alike by oneDNN 2.x
// and 3.x. Surprise: this is the only place that knows the library's version. 2.x builds an operation
// descriptor first and 3.x takes its arguments directly; 3.2 dropped Winograd, so callers must be able to
// hear "there is none".
#pragma once

#include <dnnl.hpp>
#include <optional>

namespace headstart::onednn {

/// A 3x3 convolution, stride 1, padding 1, on square maps.
struct ConvolutionShape {
  dnnl::memory::dim batch;
  dnnl::memory::dim size;  ///< height and width, of source and destination
  dnnl::memory::dim in_channels;
  dnnl::memory::dim out_channels;
};

/// Convolution + bias + ReLU in one primitive, float32, with a scratchpad that the caller provides. Weights
/// and destination in whatever format the library likes best.
/// @param algorithm  convolution_winograd or convolution_direct
/// @param source     the source's format; `any` leaves it to the library
/// @return nothing where this library on this CPU has no such implementation
/// @throws dnnl::error for everything else
[[nodiscard]] std::optional<dnnl::convolution_forward::primitive_desc> plan_convolution(
    const dnnl::engine& engine, dnnl::algorithm algorithm, const ConvolutionShape& shape,
    dnnl::memory::format_tag source);

/// 2x2 max-pool of stride 2 over `source` [batch, channels, size, size]; odd sizes round down.
/// @param shape  of the source; out_channels counts, in_channels doesn't
[[nodiscard]] dnnl::pooling_forward::primitive_desc plan_max_pool(const dnnl::engine& engine,
                                                                  const ConvolutionShape& shape,
                                                                  const dnnl::memory::desc& source);

}  // namespace headstart::onednn
