// features/engines/onednn_primitives.cpp
#include "features/engines/onednn_primitives.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace headstart::onednn {
namespace {

using dnnl::memory;

constexpr dnnl::prop_kind kInference = dnnl::prop_kind::forward_inference;
constexpr dnnl::prop_kind kTraining = dnnl::prop_kind::forward_training;

const memory::dims kStride1{1, 1};
const memory::dims kPadding1{1, 1};
const memory::dims kStride2{2, 2};
const memory::dims kWindow2{2, 2};
const memory::dims kNoPadding{0, 0};
#if DNNL_VERSION_MAJOR >= 3
const memory::dims kNoDilation{0, 0};
#endif

dnnl::primitive_attr with_user_scratchpad() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

dnnl::primitive_attr with_relu() {
  dnnl::post_ops relu;
#if DNNL_VERSION_MAJOR >= 3
  relu.append_eltwise(dnnl::algorithm::eltwise_relu, 0.0F, 0.0F);
#else
  relu.append_eltwise(1.0F, dnnl::algorithm::eltwise_relu, 0.0F, 0.0F);
#endif
  dnnl::primitive_attr attributes = with_user_scratchpad();
  attributes.set_post_ops(relu);
  return attributes;
}

memory::desc floats(const memory::dims& dims, memory::format_tag format) {
  return {dims, memory::data_type::f32, format};
}

/// The arrays of a convolution.
struct ConvolutionArrays {
  memory::desc source;
  memory::desc weights;
  memory::desc bias;
  memory::desc destination;
};
ConvolutionArrays arrays_of(const ConvolutionShape& shape, memory::format_tag source) {
  const memory::format_tag any = memory::format_tag::any;
  return {floats({shape.batch, shape.in_channels, shape.size, shape.size}, source),
          floats({shape.out_channels, shape.in_channels, 3, 3}, any),
          floats({shape.out_channels}, memory::format_tag::a),
          floats({shape.batch, shape.out_channels, shape.size, shape.size}, any)};
}

memory::desc pooled(const ConvolutionShape& shape) {
  return floats({shape.batch, shape.out_channels, shape.size / 2, shape.size / 2}, memory::format_tag::any);
}

std::optional<TrainedConvolution> plan_trained(const dnnl::engine& engine, dnnl::algorithm algorithm,
                                               const ConvolutionShape& shape) {
  const auto [src, weights, bias, dst] = arrays_of(shape, memory::format_tag::any);
  const dnnl::primitive_attr attributes = with_user_scratchpad();
  constexpr bool kAllowEmpty = true;
#if DNNL_VERSION_MAJOR >= 3
  const dnnl::convolution_forward::primitive_desc forward(engine, kTraining, algorithm, src, weights, bias,
                                                          dst, kStride1, kPadding1, kPadding1, with_relu(),
                                                          kAllowEmpty);
  if (!forward) return std::nullopt;
  const dnnl::convolution_backward_data::primitive_desc data(
      engine, algorithm, src, weights, dst, kStride1, kPadding1, kPadding1, forward, attributes, kAllowEmpty);
  const dnnl::convolution_backward_weights::primitive_desc gradient(engine, algorithm, src, weights, bias,
                                                                    dst, kStride1, kPadding1, kPadding1,
                                                                    forward, attributes, kAllowEmpty);
#else
  const dnnl::convolution_forward::primitive_desc forward(
      {kTraining, algorithm, src, weights, bias, dst, kStride1, kPadding1, kPadding1}, with_relu(), engine,
      kAllowEmpty);
  if (!forward) return std::nullopt;
  const dnnl::convolution_backward_data::primitive_desc data(
      {algorithm, src, weights, dst, kStride1, kPadding1, kPadding1}, attributes, engine, forward,
      kAllowEmpty);
  const dnnl::convolution_backward_weights::primitive_desc gradient(
      {algorithm, src, weights, bias, dst, kStride1, kPadding1, kPadding1}, attributes, engine, forward,
      kAllowEmpty);
#endif
  if (!data || !gradient) return std::nullopt;
  return TrainedConvolution{forward, data, gradient};
}

}  // namespace

std::optional<dnnl::convolution_forward::primitive_desc> plan_convolution(const dnnl::engine& engine,
                                                                          dnnl::algorithm algorithm,
                                                                          const ConvolutionShape& shape,
                                                                          memory::format_tag source) {
  const auto [src, weights, bias, dst] = arrays_of(shape, source);
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
  const memory::desc dst = pooled(shape);
  const dnnl::algorithm max = dnnl::algorithm::pooling_max;
  const dnnl::primitive_attr attributes = with_user_scratchpad();
#if DNNL_VERSION_MAJOR >= 3
  return {engine,   kInference,  max,        source,     dst,       kStride2,
          kWindow2, kNoDilation, kNoPadding, kNoPadding, attributes};
#else
  const dnnl::pooling_forward::desc operation(kInference, max, source, dst, kStride2, kWindow2, kNoPadding,
                                              kNoPadding);
  return {operation, attributes, engine};
#endif
}

TrainedConvolution plan_trained_convolution(const dnnl::engine& engine, const ConvolutionShape& shape) {
  auto plan = plan_trained(engine, dnnl::algorithm::convolution_winograd, shape);
  if (!plan) plan = plan_trained(engine, dnnl::algorithm::convolution_direct, shape);
  if (!plan) throw dnnl::error(dnnl_unimplemented, "no float32 convolution to train on this CPU");
  return *plan;
}

TrainedMaxPool plan_trained_max_pool(const dnnl::engine& engine, const ConvolutionShape& shape,
                                     const memory::desc& source) {
  const memory::desc dst = pooled(shape);
  const dnnl::algorithm max = dnnl::algorithm::pooling_max;
  const dnnl::primitive_attr attributes = with_user_scratchpad();
#if DNNL_VERSION_MAJOR >= 3
  const dnnl::pooling_forward::primitive_desc forward(engine, kTraining, max, source, dst, kStride2, kWindow2,
                                                      kNoDilation, kNoPadding, kNoPadding, attributes);
  return {forward,
          {engine, max, source, forward.dst_desc(), kStride2, kWindow2, kNoDilation, kNoPadding, kNoPadding,
           forward, attributes}};
#else
  const dnnl::pooling_forward::primitive_desc forward(
      {kTraining, max, source, dst, kStride2, kWindow2, kNoPadding, kNoPadding}, attributes, engine);
  return {forward,
          {{max, source, forward.dst_desc(), kStride2, kWindow2, kNoPadding, kNoPadding},
           attributes,
           engine,
           forward}};
#endif
}

std::string library_version() {
  const dnnl::version_t* version = dnnl::version();
  return fmt::format("oneDNN {}.{}.{}", version->major, version->minor, version->patch);
}

std::string_view method_of(std::string_view implementation) {
  if (implementation.find("wino_4x3") != std::string_view::npos) return "winograd F(4x4,3x3)";
  if (implementation.find("wino_2x3") != std::string_view::npos) return "winograd F(2x2,3x3)";
  if (implementation.find("wino") != std::string_view::npos) return "winograd";
  if (implementation.find("ref") != std::string_view::npos) return "reference";
  return "direct";
}

std::string summarise(const std::vector<std::string>& implementations, std::string_view what) {
  const std::string_view plural = what.ends_with("s") ? "es" : "s";
  std::string methods;
  std::vector<std::pair<std::string_view, int>> counts;
  std::vector<std::string> distinct;
  for (const std::string& implementation : implementations) {
    const std::string_view method = method_of(implementation);
    const auto found =
        std::find_if(counts.begin(), counts.end(), [&](const auto& c) { return c.first == method; });
    if (found == counts.end()) {
      counts.emplace_back(method, 1);
    } else {
      ++found->second;
    }
    if (std::find(distinct.begin(), distinct.end(), implementation) == distinct.end()) {
      distinct.push_back(implementation);
    }
  }
  std::stable_sort(counts.begin(), counts.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  for (const auto& [method, count] : counts) {
    methods += methods.empty() ? fmt::format("{} in {} {}{}", method, count, what, count == 1 ? "" : plural)
                               : fmt::format(", {} in {}", method, count);
  }
  return fmt::format("{} ({})", methods, fmt::join(distinct, ", "));
}

}  // namespace headstart::onednn
