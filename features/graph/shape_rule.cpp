// features/graph/shape_rule.cpp
#include "features/graph/shape_rule.hpp"

#include <fmt/format.h>

#include <cstring>
#include <stdexcept>

namespace headstart {
namespace {

// TensorProto.DataType
constexpr std::uint64_t kInt32 = 6;
constexpr std::uint64_t kInt64 = 7;
constexpr std::uint64_t kBool = 9;

template <typename Number>
std::vector<std::int64_t> decode(std::span<const std::byte> bytes) {
  std::vector<std::int64_t> numbers;
  for (std::size_t at = 0; at + sizeof(Number) <= bytes.size(); at += sizeof(Number)) {
    Number number{};
    std::memcpy(&number, bytes.data() + at, sizeof(Number));
    numbers.push_back(static_cast<std::int64_t>(number));
  }
  return numbers;
}

}  // namespace

const KnownValue& NodeInputs::value(std::size_t i) const {
  if (!has(i)) throw std::invalid_argument(fmt::format("it has no input {}", i + 1));
  return *inputs_[i];
}

std::int64_t NodeInputs::integer(std::string_view attribute, std::int64_t otherwise) const {
  const OnnxAttribute* const found = find_attribute(node_, attribute);
  return found == nullptr ? otherwise : found->integer.value_or(otherwise);
}

std::optional<std::vector<std::int64_t>> NodeInputs::integers(std::string_view attribute) const {
  const OnnxAttribute* const found = find_attribute(node_, attribute);
  return found == nullptr ? std::nullopt : std::optional(found->integers);
}

std::optional<std::vector<std::int64_t>> NodeInputs::integers(std::string_view attribute,
                                                              std::size_t input) const {
  if (auto found = integers(attribute)) return found;
  if (!has(input)) return std::nullopt;
  if (!value(input).numbers) throw NotKnown();
  return value(input).numbers;
}

std::size_t axis_of(std::int64_t axis, std::size_t rank) {
  const auto count = static_cast<std::int64_t>(rank);
  if (axis < -count || axis >= count)
    throw std::invalid_argument(fmt::format("axis {} of a value of rank {}", axis, rank));
  return static_cast<std::size_t>(axis < 0 ? axis + count : axis);
}

std::optional<std::vector<std::int64_t>> integers_of(const OnnxTensor& tensor) {
  if (tensor.elsewhere || (tensor.type != kInt64 && tensor.type != kInt32 && tensor.type != kBool))
    return std::nullopt;
  const std::uint64_t count = element_count(tensor.shape);
  if (count > kMostKnownNumbers) return std::nullopt;
  std::vector<std::int64_t> numbers = tensor.integers;
  if (numbers.empty()) {
    if (tensor.type == kInt64) numbers = decode<std::int64_t>(tensor.values);
    if (tensor.type == kInt32) numbers = decode<std::int32_t>(tensor.values);
    if (tensor.type == kBool) numbers = decode<std::uint8_t>(tensor.values);
  }
  if (numbers.size() != count) {
    throw std::invalid_argument(
        fmt::format("tensor '{}' has {} numbers, its shape says {}", tensor.name, numbers.size(), count));
  }
  return numbers;
}

KnownValue known_value_of(const OnnxTensor& tensor) {
  KnownValue value;
  for (const std::uint64_t extent : tensor.shape) {
    if (extent > static_cast<std::uint64_t>(kMostElements))
      throw std::invalid_argument(fmt::format("tensor '{}' has {} of something", tensor.name, extent));
    value.shape.push_back(static_cast<std::int64_t>(extent));
  }
  static_cast<void>(elements_of(value.shape));
  value.numbers = integers_of(tensor);
  return value;
}

}  // namespace headstart
