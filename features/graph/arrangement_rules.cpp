// features/graph/arrangement_rules.cpp: a value of rank one whose numbers are known keeps them where it is
// cut, joined or gathered from: exporters compute shapes so.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <string>
#include <utility>

#include "features/graph/shape_rule.hpp"

namespace headstart {
namespace {

using Numbers = std::vector<std::int64_t>;

/// The numbers of the input, or of the attribute, which the node needs.
Numbers needed(const NodeInputs& node, std::string_view attribute, std::size_t input) {
  auto numbers = node.integers(attribute, input);
  if (!numbers) throw std::invalid_argument(fmt::format("it has no {}", attribute));
  return *std::move(numbers);
}

std::vector<KnownValue> reshape(const NodeInputs& node) {
  const Extents& x = node.shape();
  Extents shape = needed(node, "shape", 1);
  const bool zero_copies = node.integer("allowzero", 0) == 0;
  std::optional<std::size_t> open;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    if (shape[axis] == 0 && zero_copies) {
      if (axis >= x.size())
        throw std::invalid_argument(fmt::format("a shape that copies axis {} of {}", axis, to_string(x)));
      shape[axis] = x[axis];
    }
    if (shape[axis] != -1) continue;
    if (open) throw std::invalid_argument("a shape with two open extents");
    open = axis;
    shape[axis] = 1;
  }
  const std::int64_t have = elements_of(x);
  const std::int64_t rest = elements_of(shape);
  if (open && rest > 0 && have % rest == 0) shape[*open] = have / rest;
  if (elements_of(shape) != have)
    throw std::invalid_argument(fmt::format("{} can't become {}", to_string(x), to_string(shape)));
  return {{shape, node.value(0).numbers}};
}

std::vector<KnownValue> transpose(const NodeInputs& node) {
  const Extents& x = node.shape();
  Numbers order(x.size());
  std::iota(order.rbegin(), order.rend(), 0);
  order = node.integers("perm").value_or(order);
  Numbers sorted = order;
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t axis = 0; axis < sorted.size(); ++axis) {
    if (sorted[axis] != static_cast<std::int64_t>(axis))
      throw std::invalid_argument("perm is no permutation");
  }
  if (order.size() != x.size())
    throw std::invalid_argument(fmt::format("a permutation of {} axes for {}", order.size(), to_string(x)));
  Extents shape;
  for (const std::int64_t axis : order) shape.push_back(x[static_cast<std::size_t>(axis)]);
  return {{shape, x.size() < 2 ? node.value(0).numbers : std::nullopt}};
}

std::vector<KnownValue> concat(const NodeInputs& node) {
  Extents shape = node.shape(0);
  const std::size_t axis = axis_of(node.integer("axis", 1), shape.size());
  std::optional<Numbers> numbers = node.value(0).numbers;
  for (std::size_t i = 1; i < node.size(); ++i) {
    Extents next = node.shape(i);
    if (next.size() != shape.size())
      throw std::invalid_argument(fmt::format("it joins {} and {}", to_string(shape), to_string(next)));
    shape[axis] += std::exchange(next[axis], shape[axis] + next[axis]);
    if (next != shape)
      throw std::invalid_argument(fmt::format("it joins {} and {}", to_string(shape), to_string(next)));
    const std::optional<Numbers>& more = node.value(i).numbers;
    if (numbers && more && shape.size() == 1) {
      numbers->insert(numbers->end(), more->begin(), more->end());
    } else {
      numbers.reset();
    }
  }
  return {{shape, shape.size() == 1 ? numbers : std::nullopt}};
}

std::vector<KnownValue> split(const NodeInputs& node) {
  const Extents& x = node.shape();
  const std::size_t axis = axis_of(node.integer("axis", 0), x.size());
  const auto outputs = static_cast<std::int64_t>(node.node().outputs.size());
  Numbers parts;
  if (const auto said = node.integers("split", 1)) {
    parts = *said;
  } else {
    const std::int64_t size = (x[axis] + outputs - 1) / std::max<std::int64_t>(outputs, 1);
    for (std::int64_t i = 0; i < outputs; ++i)
      parts.push_back(std::clamp<std::int64_t>(x[axis] - i * size, 0, size));
  }
  if (static_cast<std::int64_t>(parts.size()) != outputs)
    throw std::invalid_argument(fmt::format("{} parts for {} outputs", parts.size(), outputs));
  std::vector<KnownValue> results;
  std::int64_t first = 0;
  for (const std::int64_t part : parts) {
    if (part < 0 || part > x[axis] - first)
      throw std::invalid_argument(fmt::format("parts that are not {} together", x[axis]));
    KnownValue& result = results.emplace_back(KnownValue{x});
    result.shape[axis] = part;
    if (x.size() == 1 && node.value(0).numbers) {
      const auto from = node.value(0).numbers->begin() + first;
      result.numbers.emplace(from, from + part);
    }
    first += part;
  }
  if (first != x[axis]) throw std::invalid_argument(fmt::format("parts that are not {} together", x[axis]));
  return results;
}

std::vector<KnownValue> slice(const NodeInputs& node) {
  const KnownValue& x = node.value(0);
  const Numbers starts = needed(node, "starts", 1);
  const Numbers ends = needed(node, "ends", 2);
  Numbers axes(starts.size());
  std::iota(axes.begin(), axes.end(), 0);
  axes = node.integers("axes", 3).value_or(axes);
  const Numbers steps = node.integers("steps", 4).value_or(Numbers(starts.size(), 1));
  if (ends.size() != starts.size() || axes.size() != starts.size() || steps.size() != starts.size())
    throw std::invalid_argument("starts, ends, axes and steps differ in number");
  KnownValue result{x.shape};
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const std::size_t axis = axis_of(axes[i], x.shape.size());
    const std::int64_t extent = x.shape[axis];
    const std::int64_t step = steps[i];
    if (step == 0) throw std::invalid_argument("a step of 0");
    // Counted from the end where negative, then within what a step of this sign can reach.
    const auto place = [&](std::int64_t at, std::int64_t least) {
      if (at < 0) at = at < -extent ? -1 : at + extent;
      return step > 0 ? std::clamp<std::int64_t>(at, 0, extent) : std::max(std::min(at, extent - 1), least);
    };
    const std::int64_t first = place(starts[i], 0);
    const std::int64_t last = place(ends[i], -1);
    const std::int64_t span = step > 0 ? last - first : first - last;
    const std::int64_t stride = step > 0 ? step : (step < -kMostElements ? kMostElements : -step);
    const std::int64_t count = span <= 0 || extent == 0 ? 0 : 1 + (span - 1) / stride;
    result.shape[axis] = count;
    if (x.shape.size() == 1 && x.numbers) {
      result.numbers.emplace();
      for (std::int64_t n = 0; n < count; ++n)
        result.numbers->push_back(
            (*x.numbers)[static_cast<std::size_t>(first + (step > 0 ? n : -n) * stride)]);
    }
  }
  return {result};
}

std::vector<KnownValue> squeeze(const NodeInputs& node) {
  const Extents& x = node.shape();
  std::vector<bool> gone(x.size(), false);
  if (const auto axes = node.integers("axes", 1)) {
    for (const std::int64_t axis : *axes) gone[axis_of(axis, x.size())] = true;
  } else {
    for (std::size_t axis = 0; axis < x.size(); ++axis) gone[axis] = x[axis] == 1;
  }
  Extents shape;
  for (std::size_t axis = 0; axis < x.size(); ++axis) {
    if (gone[axis] && x[axis] != 1)
      throw std::invalid_argument(fmt::format("it squeezes axis {} of {}", axis, to_string(x)));
    if (!gone[axis]) shape.push_back(x[axis]);
  }
  return {{shape, node.value(0).numbers}};
}

std::vector<KnownValue> unsqueeze(const NodeInputs& node) {
  const Extents& x = node.shape();
  const Numbers axes = needed(node, "axes", 1);
  std::vector<bool> added(x.size() + axes.size(), false);
  for (const std::int64_t axis : axes) {
    std::vector<bool>::reference place = added[axis_of(axis, added.size())];
    if (place) throw std::invalid_argument("it adds an axis twice");
    place = true;
  }
  Extents shape;
  auto next = x.begin();
  for (const bool is_new : added) shape.push_back(is_new ? 1 : *next++);
  return {{shape, node.value(0).numbers}};
}

std::vector<KnownValue> shape_of_value(const NodeInputs& node) {
  const Extents& x = node.shape();
  const auto rank = static_cast<std::int64_t>(x.size());
  const auto place = [&](std::int64_t at) {
    return std::clamp<std::int64_t>(at < 0 ? at + rank : at, 0, rank);
  };
  const std::int64_t first = place(node.integer("start", 0));
  const std::int64_t last = std::max(first, place(node.integer("end", rank)));
  Numbers numbers(x.begin() + first, x.begin() + last);
  return {{{last - first}, numbers}};
}

std::vector<KnownValue> gather(const NodeInputs& node) {
  const KnownValue& x = node.value(0);
  const KnownValue& indices = node.value(1);
  const std::size_t axis = axis_of(node.integer("axis", 0), x.shape.size());
  KnownValue result;
  result.shape.assign(x.shape.begin(), x.shape.begin() + static_cast<std::ptrdiff_t>(axis));
  result.shape.insert(result.shape.end(), indices.shape.begin(), indices.shape.end());
  result.shape.insert(result.shape.end(), x.shape.begin() + static_cast<std::ptrdiff_t>(axis) + 1,
                      x.shape.end());
  if (!indices.numbers) return {result};
  for (const std::int64_t index : *indices.numbers) {
    if (index < -x.shape[axis] || index >= x.shape[axis])
      throw std::invalid_argument(fmt::format("it takes element {} of {}", index, x.shape[axis]));
  }
  if (x.shape.size() == 1 && x.numbers) {
    result.numbers.emplace();
    for (const std::int64_t index : *indices.numbers)
      result.numbers->push_back(
          (*x.numbers)[static_cast<std::size_t>(index < 0 ? index + x.shape[0] : index)]);
  }
  return {result};
}

std::vector<KnownValue> expand(const NodeInputs& node) {
  KnownValue result{broadcast(node.shape(), needed(node, "shape", 1))};
  if (const auto& numbers = node.value(0).numbers; numbers && numbers->size() == 1) {
    const std::int64_t count = elements_of(result.shape);
    if (count <= static_cast<std::int64_t>(kMostKnownNumbers))
      result.numbers = Numbers(static_cast<std::size_t>(count), numbers->front());
  }
  return {result};
}

std::vector<KnownValue> tile(const NodeInputs& node) {
  Extents shape = node.shape();
  const Numbers repeats = needed(node, "repeats", 1);
  if (repeats.size() != shape.size())
    throw std::invalid_argument(fmt::format("{} repeats of {}", repeats.size(), to_string(shape)));
  for (std::size_t axis = 0; axis < shape.size(); ++axis)
    shape[axis] = elements_of({shape[axis], repeats[axis]});
  return {{shape}};
}

std::vector<KnownValue> pad(const NodeInputs& node) {
  Extents shape = node.shape();
  const Numbers pads = needed(node, "pads", 1);
  Numbers axes(shape.size());
  std::iota(axes.begin(), axes.end(), 0);
  if (node.has(3)) axes = needed(node, "axes", 3);
  if (pads.size() != 2 * axes.size())
    throw std::invalid_argument(fmt::format("{} pads of {} axes", pads.size(), axes.size()));
  for (std::size_t i = 0; i < axes.size(); ++i) {
    std::int64_t& extent = shape[axis_of(axes[i], shape.size())];
    for (const std::int64_t more : {pads[i], pads[i + axes.size()]}) {
      if (more > kMostElements || more < -extent)
        throw std::invalid_argument(fmt::format("a pad of {}", more));
      extent += more;
    }
  }
  return {{shape}};
}

std::vector<KnownValue> depth_to_space(const NodeInputs& node) {
  const Extents& x = node.shape();
  const std::int64_t block = node.integer("blocksize", 0);
  if (x.size() != 4 || block < 1 || block > 1024 || x[1] % (block * block) != 0)
    throw std::invalid_argument(fmt::format("blocks of {} from {}", block, to_string(x)));
  return {{{x[0], x[1] / (block * block), x[2] * block, x[3] * block}}};
}

std::vector<KnownValue> space_to_depth(const NodeInputs& node) {
  const Extents& x = node.shape();
  const std::int64_t block = node.integer("blocksize", 0);
  if (x.size() != 4 || block < 1 || block > 1024 || x[2] % block != 0 || x[3] % block != 0)
    throw std::invalid_argument(fmt::format("blocks of {} of {}", block, to_string(x)));
  return {{{x[0], x[1] * block * block, x[2] / block, x[3] / block}}};
}

}  // namespace

const ShapeRules& arrangement_rules() {
  static const ShapeRules kRules{
      {"Reshape", reshape},
      {"Transpose", transpose},
      {"Concat", concat},
      {"Split", split},
      {"Slice", slice},
      {"Squeeze", squeeze},
      {"Unsqueeze", unsqueeze},
      {"Shape", shape_of_value},
      {"Gather", gather},
      {"Expand", expand},
      {"Tile", tile},
      {"Pad", pad},
      {"DepthToSpace", depth_to_space},
      {"SpaceToDepth", space_to_depth},
  };
  return kRules;
}

}  // namespace headstart
