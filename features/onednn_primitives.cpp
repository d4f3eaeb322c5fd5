// features/onednn_primitives.cpp
#include "features/onednn_primitives.hpp"

namespace headstart::onednn {
namespace {

using dnnl::memory;

constexpr dnnl::prop_kind kInference = dnnl::prop_kind::forward_inference;

const memory::dims kStride1{1, 1};
const memory::dims kPadding1{1, 1};
const memory::dims kStride2{2, 2};
const memory::dims kWindow2{2, 2};
const memory::dims kNoPadding{0, 0};
#if DNNL_VERSION_MAJOR >= 3
const memory::dims kNoDilation{0, 0};
#endif

dnnl::primitive_attr with_relu() {
  dnnl::post_ops relu;
#if DNNL_VERSION_MAJOR >= 3
  relu.append_eltwise(dnnl::algorithm::eltwise_relu, 0.0F, 0.0F);
#else
  relu.append_eltwise(1.0F, dnnl::algorithm::eltwise_relu, 0.0F, 0.0F);
#endif
  dnnl::primitive_attr attributes;
  attributes.set_post_ops(relu);
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

memory::desc floats(const memory::dims& dims, memory::format_tag format) {
  return {dims, memory::data_type::f32, format};
}

}  // namespace

std::optional<dnnl::convolution_forward::primitive_desc> plan_convolution(const dnnl::engine& engine,
                                                                          dnnl::algorithm algorithm,
                                                                          const ConvolutionShape& shape,
                                                                          memory::format_tag source) {
  const memory::format_tag any = memory::format_tag::any;
  const memory::desc src = floats({shape.batch, shape.in_channels, shape.size, shape.size}, source);
  const memory::desc weights = floats({shape.out_channels, shape.in_channels, 3, 3}, any);
  const memory::desc bias = floats({shape.out_channels}, memory::format_tag::a);
  const memory::desc dst = floats({shape.batch, shape.out_channels, shape.size, shape.size}, any);
  constexpr bool kAllowEmpty = true;
#if DNNL_VERSION_MAJOR >= 3
  const dnnl::convolution_forward::primitive_desc plan(engine, kInference, algorithm, src, weights, bias, dst,
                                                       kStride1, kPadding1, kPadding1, with_relu(),
                                                       kAllowEmpty);
#else
  const dnnl::convolution_forward::desc operation(kInference, algorithm, src, weights, bias, dst, kStride1,
                                                  kPadding1, kPadding1);
  const dnnl::convolution_forward::primitive_desc plan(operation, with_relu(), engine, kAllowEmpty);
#endif
  if (!plan) return std::nullopt;
  return plan;
}

dnnl::pooling_forward::primitive_desc plan_max_pool(const dnnl::engine& engine, const ConvolutionShape& shape,
                                                    const memory::desc& source) {
  const memory::desc dst =
      floats({shape.batch, shape.out_channels, shape.size / 2, shape.size / 2}, memory::format_tag::any);
  const dnnl::algorithm max = dnnl::algorithm::pooling_max;
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
#if DNNL_VERSION_MAJOR >= 3
  return {engine,   kInference,  max,        source,     dst,       kStride2,
          kWindow2, kNoDilation, kNoPadding, kNoPadding, attributes};
#else
  const dnnl::pooling_forward::desc operation(kInference, max, source, dst, kStride2, kWindow2, kNoPadding,
                                              kNoPadding);
  return {operation, attributes, engine};
#endif
}

}  // namespace headstart::onednn
