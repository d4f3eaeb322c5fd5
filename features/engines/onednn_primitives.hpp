// features/engines/onednn_primitives.hpp: the two primitives of VGG16, with one interface for oneDNN 2.x
// and 3.x. Note: no other code depends on the library's version. Version 2.x builds an operation descriptor
// first; version 3.x takes its arguments directly. Version 3.2 dropped Winograd, so a plan may be missing and
// callers must handle that.
#pragma once

#include <dnnl.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace headstart::onednn {

/// A 3x3 convolution, stride 1, padding 1, on square maps.
struct ConvolutionShape {
  dnnl::memory::dim batch;
  dnnl::memory::dim size;  ///< height and width, of source and destination
  dnnl::memory::dim in_channels;
  dnnl::memory::dim out_channels;
};

/// Convolution + bias + ReLU in one primitive, float32. The caller provides the scratchpad. The library
/// chooses the format of weights and destination.
/// @param algorithm  convolution_winograd or convolution_direct
/// @param source     the source's format; with `any` the library chooses
/// @return nothing if this library has no such implementation on this CPU
/// @throws dnnl::error for all other failures
[[nodiscard]] std::optional<dnnl::convolution_forward::primitive_desc> plan_convolution(
    const dnnl::engine& engine, dnnl::algorithm algorithm, const ConvolutionShape& shape,
    dnnl::memory::format_tag source);

/// 2x2 max-pool of stride 2 over `source` [batch, channels, size, size]; odd sizes round down.
/// @param shape  of the source; out_channels counts, in_channels doesn't
[[nodiscard]] dnnl::pooling_forward::primitive_desc plan_max_pool(const dnnl::engine& engine,
                                                                  const ConvolutionShape& shape,
                                                                  const dnnl::memory::desc& source);

/// The three passes over a convolution and its bias in training. ReLU is part of the forward pass, not of the
/// backward passes. The caller provides scratchpads.
struct TrainedConvolution {
  dnnl::convolution_forward::primitive_desc forward;
  dnnl::convolution_backward_data::primitive_desc backward_data;
  dnnl::convolution_backward_weights::primitive_desc backward_weights;
};

/// Winograd for all three passes if available, else direct. For each pass the library chooses the formats.
/// @throws dnnl::error if this library on this CPU can't train a convolution in float32
[[nodiscard]] TrainedConvolution plan_trained_convolution(const dnnl::engine& engine,
                                                          const ConvolutionShape& shape);

/// 2x2 max-pool of stride 2 that remembers the positions of its maxima, and its backward pass.
struct TrainedMaxPool {
  dnnl::pooling_forward::primitive_desc forward;
  dnnl::pooling_backward::primitive_desc backward;
};
/// @param shape   of the source; out_channels counts, in_channels doesn't
/// @param source  format of the source and of its gradient
[[nodiscard]] TrainedMaxPool plan_trained_max_pool(const dnnl::engine& engine, const ConvolutionShape& shape,
                                                   const dnnl::memory::desc& source);

/// "oneDNN 2.6.3".
[[nodiscard]] std::string library_version();

/// The method behind impl_info_str(): "winograd F(4x4,3x3)" for "jit_wino_4x3:avx512_core".
[[nodiscard]] std::string_view method_of(std::string_view implementation);

/// "winograd F(4x4,3x3) in 12 layers, direct in 1 (jit_wino_4x3:avx512_core, jit:avx512_core)".
/// @param what  the counted noun: "layer"
[[nodiscard]] std::string summarise(const std::vector<std::string>& implementations, std::string_view what);

}  // namespace headstart::onednn
