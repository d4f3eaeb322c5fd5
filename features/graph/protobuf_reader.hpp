// features/graph/protobuf_reader.hpp: reads the fields of one Protocol Buffers message, in the order of the
// file. Reads only the wire format (protobuf.dev, "Encoding"); the caller knows the meaning of a field.
// Invariant: nothing outside of the message is read and nothing is allocated, whatever lengths the bytes
// claim.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace headstart {

/// One field. A repeated field comes once for each element or, packed, once for several.
struct ProtobufField {
  enum class Kind { kVarint, kFixed64, kBytes, kFixed32 };
  std::uint32_t number = 0;
  Kind kind = Kind::kVarint;
  std::uint64_t value = 0;  ///< of kVarint; a negative int32 or int64 is its two's complement in 64 bits
  std::span<const std::byte> bytes;  ///< payload of kBytes (a string, a message or packed numbers), or
                                     ///< little-endian bytes of a fixed kind

  [[nodiscard]] std::string_view text() const noexcept {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
};

class ProtobufReader final {
 public:
  explicit ProtobufReader(std::span<const std::byte> message) noexcept : left_(message) {}

  [[nodiscard]] bool at_end() const noexcept { return left_.empty(); }
  /// The next field, or nothing at the end.
  /// @throws std::invalid_argument with the reason: bytes that end early, an invalid field, groups (obsolete)
  [[nodiscard]] std::optional<ProtobufField> next();
  /// A number of 1 to 10 bytes, least significant seven bits first. Also reads an element of a packed field.
  /// @throws std::invalid_argument if it ends early or has more than 64 bits
  [[nodiscard]] std::uint64_t varint();

 private:
  [[nodiscard]] std::span<const std::byte> take(std::uint64_t count);

  std::span<const std::byte> left_;
};

}  // namespace headstart
