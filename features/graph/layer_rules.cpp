// features/graph/layer_rules.cpp
#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>

#include "features/graph/shape_rule.hpp"

namespace headstart {
namespace {

constexpr std::int64_t kLargestStep =
    1 << 20;  // of strides, dilations and pads: times an extent fits in 64 bits

/// How a window moves over the spatial axes: one entry for each.
struct Windows {
  Extents size;
  Extents strides;
  Extents dilations;
  Extents pads_before;
  Extents pads_behind;
  std::string_view automatic;  ///< auto_pad
  bool ceil = false;
};

Extents extents_of(const NodeInputs& node, std::string_view attribute, std::size_t count,
                   std::int64_t otherwise, std::int64_t least) {
  Extents found = node.integers(attribute).value_or(Extents(count, otherwise));
  if (found.size() != count)
    throw std::invalid_argument(fmt::format("{} has {} numbers, needed {}", attribute, found.size(), count));
  for (const std::int64_t number : found) {
    if (number < least || number > kLargestStep)
      throw std::invalid_argument(fmt::format("{} has a {}", attribute, number));
  }
  return found;
}

Windows windows_of(const NodeInputs& node, Extents size) {
  Windows windows;
  const std::size_t axes = size.size();
  windows.size = std::move(size);
  for (const std::int64_t extent : windows.size) {
    if (extent < 1) throw std::invalid_argument("a window of no extent");
  }
  windows.strides = extents_of(node, "strides", axes, 1, 1);
  windows.dilations = extents_of(node, "dilations", axes, 1, 1);
  const Extents pads = extents_of(node, "pads", 2 * axes, 0, 0);
  windows.pads_before.assign(pads.begin(), pads.begin() + static_cast<std::ptrdiff_t>(axes));
  windows.pads_behind.assign(pads.begin() + static_cast<std::ptrdiff_t>(axes), pads.end());
  if (const OnnxAttribute* const automatic = find_attribute(node.node(), "auto_pad"))
    windows.automatic = automatic->text;
  windows.ceil = node.integer("ceil_mode", 0) != 0;
  return windows;
}

/// How often the window fits on an axis.
std::int64_t places(const Windows& windows, std::size_t axis, std::int64_t extent) {
  const std::int64_t stride = windows.strides[axis];
  if (windows.automatic.starts_with("SAME")) return (extent + stride - 1) / stride;
  const bool valid = windows.automatic == "VALID";
  const std::int64_t before = valid ? 0 : windows.pads_before[axis];
  const std::int64_t behind = valid ? 0 : windows.pads_behind[axis];
  const std::int64_t reach = windows.dilations[axis] * (windows.size[axis] - 1) + 1;
  const std::int64_t room = extent + before + behind - reach;
  if (room < 0)
    throw std::invalid_argument(
        fmt::format("a window of {} on an axis of {}", reach, extent + before + behind));
  std::int64_t count = (windows.ceil ? room + stride - 1 : room) / stride + 1;
  // A window that would begin in the padding behind is left out.
  if (windows.ceil && (count - 1) * stride >= extent + before) --count;
  return count;
}

/// [batch, channels, ...]: at least one spatial axis.
const Extents& map_of(const NodeInputs& node) {
  const Extents& shape = node.shape();
  if (shape.size() < 3)
    throw std::invalid_argument(fmt::format("it takes a map, found {}", to_string(shape)));
  return shape;
}

Extents spatial(const Extents& shape) { return {shape.begin() + 2, shape.end()}; }

/// The group attribute, which has to divide `channels`.
std::int64_t groups_of(const NodeInputs& node, std::int64_t channels) {
  const std::int64_t groups = node.integer("group", 1);
  if (groups < 1 || channels % groups != 0)
    throw std::invalid_argument(fmt::format("{} groups of {} channels", groups, channels));
  return groups;
}

void check_channels(std::int64_t found, std::int64_t needed) {
  if (found != needed)
    throw std::invalid_argument(fmt::format("it takes {} channels, found {}", needed, found));
}

std::vector<KnownValue> convolution(const NodeInputs& node) {
  const Extents& x = map_of(node);
  const Extents& kernel = node.shape(1);
  if (kernel.size() != x.size())
    throw std::invalid_argument(fmt::format("a kernel of {} for {}", to_string(kernel), to_string(x)));
  const std::int64_t groups = groups_of(node, kernel[0]);
  check_channels(x[1], kernel[1] * groups);
  const Extents size = spatial(kernel);
  if (node.integers("kernel_shape").value_or(size) != size)
    throw std::invalid_argument(fmt::format("kernel_shape is not that of a kernel of {}", to_string(kernel)));
  if (node.has(2) && node.shape(2) != Extents{kernel[0]})
    throw std::invalid_argument(
        fmt::format("a bias of {} for {} channels", to_string(node.shape(2)), kernel[0]));
  const Windows windows = windows_of(node, size);
  Extents shape{x[0], kernel[0]};
  for (std::size_t axis = 0; axis < size.size(); ++axis) shape.push_back(places(windows, axis, x[axis + 2]));
  return {{shape}};
}

std::vector<KnownValue> transposed_convolution(const NodeInputs& node) {
  const Extents& x = map_of(node);
  const Extents& kernel = node.shape(1);
  if (kernel.size() != x.size())
    throw std::invalid_argument(fmt::format("a kernel of {} for {}", to_string(kernel), to_string(x)));
  check_channels(x[1], kernel[0]);
  const std::int64_t groups = groups_of(node, kernel[0]);
  const Windows windows = windows_of(node, spatial(kernel));
  const std::size_t axes = windows.size.size();
  const Extents more = extents_of(node, "output_padding", axes, 0, 0);
  Extents shape{x[0], kernel[1] * groups};
  if (const auto said = node.integers("output_shape")) {
    if (said->size() != axes) throw std::invalid_argument("output_shape is not one of its maps");
    shape.insert(shape.end(), said->begin(), said->end());
    return {{shape}};
  }
  for (std::size_t axis = 0; axis < axes; ++axis) {
    const std::int64_t reach = windows.dilations[axis] * (windows.size[axis] - 1) + 1;
    shape.push_back(windows.automatic.starts_with("SAME")
                        ? x[axis + 2] * windows.strides[axis]
                        : windows.strides[axis] * (x[axis + 2] - 1) + more[axis] + reach -
                              windows.pads_before[axis] - windows.pads_behind[axis]);
  }
  return {{shape}};
}

std::vector<KnownValue> pool(const NodeInputs& node) {
  const Extents& x = map_of(node);
  const auto size = node.integers("kernel_shape");
  if (!size || size->size() + 2 != x.size())
    throw std::invalid_argument(fmt::format("no kernel_shape for {}", to_string(x)));
  const Windows windows = windows_of(node, *size);
  Extents shape{x[0], x[1]};
  for (std::size_t axis = 0; axis < size->size(); ++axis) shape.push_back(places(windows, axis, x[axis + 2]));
  return {{shape}, {shape}};  // MaxPool's second output is where the maxima lie
}

std::vector<KnownValue> global_pool(const NodeInputs& node) {
  Extents shape = map_of(node);
  std::fill(shape.begin() + 2, shape.end(), 1);
  return {{shape}};
}

std::vector<KnownValue> gemm(const NodeInputs& node) {
  Extents a = node.shape(0);
  Extents b = node.shape(1);
  if (a.size() != 2 || b.size() != 2) throw std::invalid_argument("Gemm takes two matrices");
  if (node.integer("transA", 0) != 0) std::swap(a[0], a[1]);
  if (node.integer("transB", 0) != 0) std::swap(b[0], b[1]);
  if (a[1] != b[0])
    throw std::invalid_argument(fmt::format("a product of {} and {}", to_string(a), to_string(b)));
  Extents shape{a[0], b[1]};
  if (node.has(2) && broadcast(shape, node.shape(2)) != shape)
    throw std::invalid_argument(
        fmt::format("a sum of {} and {}", to_string(shape), to_string(node.shape(2))));
  return {{shape}};
}

/// NumPy's matmul: a vector is a row on the left and a column on the right, and its axis is gone afterwards.
std::vector<KnownValue> matrix_product(const NodeInputs& node) {
  Extents a = node.shape(0);
  Extents b = node.shape(1);
  if (a.empty() || b.empty()) throw std::invalid_argument("a product with a scalar");
  const bool row = a.size() == 1;
  const bool column = b.size() == 1;
  if (row) a.insert(a.begin(), 1);
  if (column) b.push_back(1);
  if (a.back() != b[b.size() - 2])
    throw std::invalid_argument(fmt::format("a product of {} and {}", to_string(a), to_string(b)));
  Extents shape = broadcast({a.begin(), a.end() - 2}, {b.begin(), b.end() - 2});
  if (!row) shape.push_back(a[a.size() - 2]);
  if (!column) shape.push_back(b.back());
  return {{shape}};
}

std::vector<KnownValue> flatten(const NodeInputs& node) {
  const Extents& x = node.shape();
  const std::int64_t wanted = node.integer("axis", 1);
  const auto rank = static_cast<std::int64_t>(x.size());
  if (wanted < -rank || wanted > rank)
    throw std::invalid_argument(fmt::format("axis {} of a value of rank {}", wanted, rank));
  const std::ptrdiff_t axis = wanted < 0 ? wanted + rank : wanted;
  return {{{elements_of({x.begin(), x.begin() + axis}), elements_of({x.begin() + axis, x.end()})}}};
}

std::vector<KnownValue> reduction(const NodeInputs& node) {
  const Extents& x = node.shape();
  const bool keep = node.integer("keepdims", 1) != 0;
  std::vector<bool> reduced(x.size(), false);
  const auto axes = node.integers("axes", 1);
  if (axes && !axes->empty()) {
    for (const std::int64_t axis : *axes) reduced[axis_of(axis, x.size())] = true;
  } else if (node.integer("noop_with_empty_axes", 0) == 0) {
    reduced.assign(x.size(), true);
  }
  Extents shape;
  for (std::size_t axis = 0; axis < x.size(); ++axis) {
    if (!reduced[axis]) shape.push_back(x[axis]);
    if (reduced[axis] && keep) shape.push_back(1);
  }
  KnownValue result{shape};
  // Exporters multiply extents so.
  if (node.node().operation == "ReduceProd" && node.value(0).numbers && x.size() == 1 && reduced[0]) {
    std::int64_t product = 1;
    for (const std::int64_t number : *node.value(0).numbers) {
      if (__builtin_mul_overflow(product, number, &product))
        throw std::invalid_argument("a product above 64 bits");
    }
    result.numbers = {product};
  }
  return {result};
}

std::vector<KnownValue> place_of_extreme(const NodeInputs& node) {
  Extents shape = node.shape();
  const std::size_t axis = axis_of(node.integer("axis", 0), shape.size());
  if (node.integer("keepdims", 1) != 0) {
    shape[axis] = 1;
  } else {
    shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(axis));
  }
  return {{shape}};
}

std::vector<KnownValue> norm(const NodeInputs& node) { return {{node.shape()}}; }

}  // namespace

const ShapeRules& layer_rules() {
  static const ShapeRules kRules{
      {"Conv", convolution},
      {"ConvTranspose", transposed_convolution},
      {"MaxPool", pool},
      {"AveragePool", pool},
      {"LpPool", pool},
      {"GlobalAveragePool", global_pool},
      {"GlobalMaxPool", global_pool},
      {"GlobalLpPool", global_pool},
      {"Gemm", gemm},
      {"MatMul", matrix_product},
      {"Flatten", flatten},
      {"ReduceMean", reduction},
      {"ReduceSum", reduction},
      {"ReduceMax", reduction},
      {"ReduceMin", reduction},
      {"ReduceProd", reduction},
      {"ReduceL1", reduction},
      {"ReduceL2", reduction},
      {"ReduceSumSquare", reduction},
      {"ReduceLogSum", reduction},
      {"ReduceLogSumExp", reduction},
      {"ArgMax", place_of_extreme},
      {"ArgMin", place_of_extreme},
      {"BatchNormalization", norm},
      {"InstanceNormalization", norm},
      {"GroupNormalization", norm},
      {"LayerNormalization", norm},
      {"RMSNormalization", norm},
      {"LpNormalization", norm},
      {"MeanVarianceNormalization", norm},
      {"LRN", norm},
      {"Softmax", norm},
      {"LogSoftmax", norm},
      {"Hardmax", norm},
  };
  return kRules;
}

}  // namespace headstart
