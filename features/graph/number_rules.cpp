// features/graph/number_rules.cpp: elementwise operators and constants. Those on integers are folded where
// all numbers are known: exporters compute shapes so.
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <stdexcept>
#include <string>

#include "features/graph/shape_rule.hpp"

namespace headstart {
namespace {

using Numbers = std::vector<std::int64_t>;

std::vector<KnownValue> same(const NodeInputs& node) { return {{node.shape()}, {node.shape()}}; }

std::vector<KnownValue> copy(const NodeInputs& node) { return {node.value(0), {node.shape()}}; }

// Extents are integers; a cast to a fraction and back would not be one of them.
std::vector<KnownValue> cast(const NodeInputs& node) {
  constexpr std::int64_t kInt32 = 6;
  constexpr std::int64_t kInt64 = 7;
  const std::int64_t to = node.integer("to", 0);
  KnownValue result = node.value(0);
  if (to != kInt32 && to != kInt64) result.numbers.reset();
  return {result};
}

std::vector<KnownValue> broadcast_all(const NodeInputs& node) {
  Extents shape = node.shape(0);
  for (std::size_t i = 1; i < node.size(); ++i) shape = broadcast(shape, node.shape(i));
  return {{shape}};
}

// Numbers of values whose every axis but one is 1, or that are scalars: all that exporters compute with.
template <typename Combine>
std::vector<KnownValue> folded(const NodeInputs& node, const Combine& combine) {
  KnownValue result = broadcast_all(node).front();
  const auto count = static_cast<std::size_t>(
      std::min<std::int64_t>(elements_of(result.shape), std::int64_t{kMostKnownNumbers} + 1));
  std::vector<const Numbers*> operands;
  for (std::size_t i = 0; i < node.size(); ++i) {
    const auto& numbers = node.value(i).numbers;
    if (!numbers || (numbers->size() != 1 && numbers->size() != count)) return {result};
    operands.push_back(&*numbers);
  }
  if (count > kMostKnownNumbers) return {result};
  const auto number = [&](std::size_t operand, std::size_t i) {
    return operands[operand]->size() == 1 ? operands[operand]->front() : (*operands[operand])[i];
  };
  result.numbers.emplace();
  for (std::size_t i = 0; i < count; ++i) {
    const std::optional<std::int64_t> made = combine(number, i);
    if (!made) throw std::invalid_argument("integers that divide by zero or need more than 64 bits");
    result.numbers->push_back(*made);
  }
  return {result};
}

/// A rule for an operator of two numbers. kOperation gives false where there is no result.
template <bool (*kOperation)(std::int64_t, std::int64_t, std::int64_t*)>
std::vector<KnownValue> binary(const NodeInputs& node) {
  if (node.size() != 2) throw std::invalid_argument(fmt::format("{} inputs, needed two", node.size()));
  return folded(node, [](const auto& number, std::size_t i) -> std::optional<std::int64_t> {
    std::int64_t result = 0;
    return kOperation(number(0, i), number(1, i), &result) ? std::optional(result) : std::nullopt;
  });
}

bool add(std::int64_t a, std::int64_t b, std::int64_t* to) { return !__builtin_add_overflow(a, b, to); }
bool subtract(std::int64_t a, std::int64_t b, std::int64_t* to) { return !__builtin_sub_overflow(a, b, to); }
bool multiply(std::int64_t a, std::int64_t b, std::int64_t* to) { return !__builtin_mul_overflow(a, b, to); }
bool can_divide(std::int64_t a, std::int64_t b) {
  return b != 0 && !(b == -1 && a == std::numeric_limits<std::int64_t>::min());
}
bool divide(std::int64_t a, std::int64_t b, std::int64_t* to) {
  if (!can_divide(a, b)) return false;
  *to = a / b;
  return true;
}
bool remainder(std::int64_t a, std::int64_t b, std::int64_t* to) {  // the sign of b, as in Python
  if (!can_divide(a, b)) return false;
  *to = a % b;
  if (*to != 0 && (*to < 0) != (b < 0)) *to += b;
  return true;
}
bool equal(std::int64_t a, std::int64_t b, std::int64_t* to) {
  *to = a == b ? 1 : 0;
  return true;
}
bool less(std::int64_t a, std::int64_t b, std::int64_t* to) {
  *to = a < b ? 1 : 0;
  return true;
}
bool greater(std::int64_t a, std::int64_t b, std::int64_t* to) { return less(b, a, to); }

std::vector<KnownValue> choice(const NodeInputs& node) {
  if (node.size() != 3) throw std::invalid_argument("Where takes three inputs");
  return folded(node, [](const auto& number, std::size_t i) {
    return std::optional(number(0, i) != 0 ? number(1, i) : number(2, i));
  });
}

std::vector<KnownValue> constant(const NodeInputs& node) {
  if (const OnnxAttribute* const value = find_attribute(node.node(), "value"); value && value->tensor)
    return {known_value_of(*value->tensor)};
  if (const OnnxAttribute* const value = find_attribute(node.node(), "value_int"); value && value->integer)
    return {{{}, Numbers{*value->integer}}};
  if (const auto numbers = node.integers("value_ints"))
    return {{{static_cast<std::int64_t>(numbers->size())}, numbers}};
  if (find_attribute(node.node(), "value_float") != nullptr) return {{}};
  throw NotKnown();
}

std::vector<KnownValue> constant_of_shape(const NodeInputs& node) {
  if (!node.value(0).numbers) throw NotKnown();
  KnownValue result{*node.value(0).numbers};
  const std::int64_t count = elements_of(result.shape);
  const OnnxAttribute* const value = find_attribute(node.node(), "value");
  if (value == nullptr || !value->tensor || count > static_cast<std::int64_t>(kMostKnownNumbers))
    return {result};
  const auto number = integers_of(*value->tensor);
  if (number && number->size() == 1)
    result.numbers = Numbers(static_cast<std::size_t>(count), number->front());
  return {result};
}

std::vector<KnownValue> range(const NodeInputs& node) {
  Numbers ends;
  for (std::size_t i = 0; i < 3; ++i) {
    const auto& numbers = node.value(i).numbers;
    if (!numbers || numbers->size() != 1) throw NotKnown();
    ends.push_back(numbers->front());
  }
  const std::int64_t step = ends[2];
  if (step == 0) throw std::invalid_argument("a step of 0");
  KnownValue result{{0}, Numbers{}};
  for (std::int64_t at = ends[0]; step > 0 ? at < ends[1] : at > ends[1];) {
    if (result.numbers->size() == kMostKnownNumbers) throw NotKnown();
    result.numbers->push_back(at);
    if (!add(at, step, &at)) break;
  }
  result.shape[0] = static_cast<std::int64_t>(result.numbers->size());
  return {result};
}

std::vector<KnownValue> size(const NodeInputs& node) { return {{{}, Numbers{elements_of(node.shape())}}}; }

}  // namespace

const ShapeRules& number_rules() {
  static const ShapeRules kRules = [] {
    ShapeRules rules{
        {"Identity", copy},
        {"Cast", cast},
        {"Add", binary<add>},
        {"Sub", binary<subtract>},
        {"Mul", binary<multiply>},
        {"Div", binary<divide>},
        {"Mod", binary<remainder>},
        {"Equal", binary<equal>},
        {"Less", binary<less>},
        {"Greater", binary<greater>},
        {"Where", choice},
        {"Constant", constant},
        {"ConstantOfShape", constant_of_shape},
        {"Range", range},
        {"Size", size},
    };
    for (const std::string_view operation : {"Abs",
                                             "Acos",
                                             "Asin",
                                             "Atan",
                                             "Celu",
                                             "Ceil",
                                             "Clip",
                                             "Cos",
                                             "Dropout",
                                             "Elu",
                                             "Erf",
                                             "Exp",
                                             "Floor",
                                             "Gelu",
                                             "Hardmax",
                                             "HardSigmoid",
                                             "HardSwish",
                                             "IsInf",
                                             "IsNaN",
                                             "LeakyRelu",
                                             "Log",
                                             "Mish",
                                             "Neg",
                                             "Not",
                                             "PRelu",
                                             "Reciprocal",
                                             "Relu",
                                             "Round",
                                             "Selu",
                                             "Shrink",
                                             "Sigmoid",
                                             "Sign",
                                             "Sin",
                                             "Softplus",
                                             "Softsign",
                                             "Sqrt",
                                             "Swish",
                                             "Tanh",
                                             "ThresholdedRelu",
                                             "CastLike",
                                             "CumSum",
                                             "Trilu",
                                             "QuantizeLinear",
                                             "DequantizeLinear"}) {
      rules.emplace(operation, same);
    }
    for (const std::string_view operation :
         {"Pow", "Max", "Min", "Sum", "Mean", "And", "Or", "Xor", "GreaterOrEqual", "LessOrEqual"}) {
      rules.emplace(operation, broadcast_all);
    }
    return rules;
  }();
  return kRules;
}

}  // namespace headstart
