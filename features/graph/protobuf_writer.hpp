// features/graph/protobuf_writer.hpp: writes one Protocol Buffers message, field by field (protobuf.dev,
// "Encoding"). Large payloads are referred to, not copied, so a model's weights are in memory once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace headstart {

class ProtobufWriter final {
 public:
  /// An int32, int64, enum or bool; a negative one takes ten bytes.
  void number(std::uint32_t field, std::int64_t value);
  /// A string.
  void text(std::uint32_t field, std::string_view value);
  /// Bytes, which have to outlive this writer.
  void view(std::uint32_t field, std::span<const std::byte> bytes);
  /// A message inside this one.
  void message(std::uint32_t field, ProtobufWriter inner);

  /// Size in bytes of the encoded message.
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  /// The parts of the encoded message in order: spans into this writer and into the bytes given to view().
  [[nodiscard]] std::vector<std::span<const std::byte>> parts() const;

 private:
  void varint(std::uint64_t value);
  void key(std::uint32_t field, std::uint32_t wire_type);
  [[nodiscard]] std::string& tail();

  std::vector<std::variant<std::string, std::span<const std::byte>>> pieces_;
  std::size_t size_ = 0;
};

}  // namespace headstart
