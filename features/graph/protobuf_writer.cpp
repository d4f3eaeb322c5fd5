// features/graph/protobuf_writer.cpp
#include "features/graph/protobuf_writer.hpp"

#include <iterator>
#include <utility>

namespace headstart {
namespace {

constexpr std::uint32_t kVarint = 0;
constexpr std::uint32_t kLengthDelimited = 2;

}  // namespace

std::string& ProtobufWriter::tail() {
  if (pieces_.empty() || !std::holds_alternative<std::string>(pieces_.back()))
    pieces_.emplace_back(std::string());
  return std::get<std::string>(pieces_.back());
}

void ProtobufWriter::varint(std::uint64_t value) {
  std::string& bytes = tail();
  const std::size_t before = bytes.size();
  for (; value >= 0x80; value >>= 7U) bytes.push_back(static_cast<char>((value & 0x7FU) | 0x80U));
  bytes.push_back(static_cast<char>(value));
  size_ += bytes.size() - before;
}

void ProtobufWriter::key(std::uint32_t field, std::uint32_t wire_type) {
  varint(static_cast<std::uint64_t>(field) << 3U | wire_type);
}

void ProtobufWriter::number(std::uint32_t field, std::int64_t value) {
  key(field, kVarint);
  varint(static_cast<std::uint64_t>(value));
}

void ProtobufWriter::text(std::uint32_t field, std::string_view value) {
  key(field, kLengthDelimited);
  varint(value.size());
  tail() += value;
  size_ += value.size();
}

void ProtobufWriter::view(std::uint32_t field, std::span<const std::byte> bytes) {
  key(field, kLengthDelimited);
  varint(bytes.size());
  pieces_.emplace_back(bytes);
  size_ += bytes.size();
}

void ProtobufWriter::message(std::uint32_t field, ProtobufWriter inner) {
  key(field, kLengthDelimited);
  varint(inner.size_);
  pieces_.insert(pieces_.end(), std::make_move_iterator(inner.pieces_.begin()),
                 std::make_move_iterator(inner.pieces_.end()));
  size_ += inner.size_;
}

std::vector<std::span<const std::byte>> ProtobufWriter::parts() const {
  std::vector<std::span<const std::byte>> parts;
  parts.reserve(pieces_.size());
  for (const auto& piece : pieces_) {
    const auto* text = std::get_if<std::string>(&piece);
    parts.push_back(text != nullptr ? std::as_bytes(std::span(*text))
                                    : std::get<std::span<const std::byte>>(piece));
  }
  return parts;
}

}  // namespace headstart
