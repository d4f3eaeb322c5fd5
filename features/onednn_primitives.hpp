// features/onednn_primitives.hpp: the two primitives that VGG16 is made of, planned alike by oneDNN 2.x
// and 3.x. Surprise: this is the only place that knows the library's version. 2.x builds an operation
// descriptor first and 3.x takes its arguments directly; 3.2 dropped Winograd, so callers must be able to
// hear "there is none".
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

/// The three passes over a convolution and its bias in training. ReLU is fused into the way forward and no
/// part of the ways back. Scratchpads are the caller's.
struct TrainedConvolution {
  dnnl::convolution_forward::primitive_desc forward;
  dnnl::convolution_backward_data::primitive_desc backward_data;
  dnnl::convolution_backward_weights::primitive_desc backward_weights;
};

/// Winograd's form of all three passes, else the direct one. Each pass names the formats it likes best.
/// @throws dnnl::error if this library on this CPU can't train a convolution in float32
[[nodiscard]] TrainedConvolution plan_trained_convolution(const dnnl::engine& engine,
                                                          const ConvolutionShape& shape);

/// 2x2 max-pool of stride 2 that remembers where its maxima were, and the way back.
struct TrainedMaxPool {
  dnnl::pooling_forward::primitive_desc forward;
  dnnl::pooling_backward::primitive_desc backward;
};
/// @param shape   of the source; out_channels counts, in_channels doesn't
/// @param source  its format, and that of its gradient
[[nodiscard]] TrainedMaxPool plan_trained_max_pool(const dnnl::engine& engine, const ConvolutionShape& shape,
                                                   const dnnl::memory::desc& source);

/// "oneDNN 2.6.3".
[[nodiscard]] std::string library_version();

/// What impl_info_str() stands for: "jit_wino_4x3:avx512_core" is "winograd F(4x4,3x3)".
[[nodiscard]] std::string_view method_of(std::string_view implementation);

/// "winograd F(4x4,3x3) in 12 layers, direct in 1 (jit_wino_4x3:avx512_core, jit:avx512_core)".
/// @param what  what is counted: "layer"
[[nodiscard]] std::string summarise(const std::vector<std::string>& implementations, std::string_view what);

}  // namespace headstart::onednn
