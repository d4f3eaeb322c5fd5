// features/graph/protobuf_reader.cpp: see protobuf_reader.hpp.
#include "features/graph/protobuf_reader.hpp"

#include <fmt/format.h>

#include <stdexcept>

namespace headstart {
namespace {

constexpr std::uint64_t kLargestFieldNumber = (std::uint64_t{1} << 29U) - 1;

}  // namespace

std::span<const std::byte> ProtobufReader::take(std::uint64_t count) {
  if (count > left_.size())
    throw std::invalid_argument(fmt::format("a field of {} bytes where {} are left", count, left_.size()));
  const std::span<const std::byte> taken = left_.first(count);
  left_ = left_.subspan(count);
  return taken;
}

std::uint64_t ProtobufReader::varint() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const auto byte = std::to_integer<std::uint64_t>(take(1).front());
    if (shift == 63 && byte > 1) break;  // the tenth byte holds the last bit
    value |= (byte & 0x7FU) << shift;
    if (byte < 0x80) return value;
  }
  throw std::invalid_argument("a number of more than 64 bits");
}

std::optional<ProtobufField> ProtobufReader::next() {
  if (at_end()) return std::nullopt;
  const std::uint64_t tag = varint();
  const std::uint64_t number = tag >> 3U;
  if (number == 0 || number > kLargestFieldNumber)
    throw std::invalid_argument(fmt::format("a field of number {}", number));
  ProtobufField field;
  field.number = static_cast<std::uint32_t>(number);
  switch (tag & 7U) {
    case 0:
      field.kind = ProtobufField::Kind::kVarint;
      field.value = varint();
      break;
    case 1:
      field.kind = ProtobufField::Kind::kFixed64;
      field.bytes = take(8);
      break;
    case 2:
      field.kind = ProtobufField::Kind::kBytes;
      field.bytes = take(varint());
      break;
    case 5:
      field.kind = ProtobufField::Kind::kFixed32;
      field.bytes = take(4);
      break;
    default:
      throw std::invalid_argument(fmt::format("a field of wire type {}", tag & 7U));
  }
  return field;
}

}  // namespace headstart
