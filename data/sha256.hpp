// data/sha256.hpp: SHA-256 of bytes. It names images, segments, weights and configurations.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace headstart {

/// A SHA-256 digest.
struct Sha256 {
  std::array<std::uint8_t, 32> bytes{};

  /// 64 lower-case hexadecimal digits.
  [[nodiscard]] std::string hex() const;
  /// The digest spelled by 64 hexadecimal digits, or nothing.
  [[nodiscard]] static std::optional<Sha256> from_hex(std::string_view text);

  // clang-tidy 14 takes the zero inside a defaulted <=> for a null pointer.
  auto operator<=>(const Sha256&) const = default;  // NOLINT(modernize-use-nullptr)
};

/// Digest of `bytes`.
[[nodiscard]] Sha256 sha256(std::span<const std::byte> bytes);
/// Digest of the bytes of `text`.
[[nodiscard]] Sha256 sha256(std::string_view text);

/// Digest of bytes that arrive in pieces.
class Sha256Stream {
 public:
  Sha256Stream();
  ~Sha256Stream();
  /// The moved-to stream continues with the bytes seen so far.
  Sha256Stream(Sha256Stream&&) noexcept;
  /// Like the move constructor.
  Sha256Stream& operator=(Sha256Stream&&) noexcept;

  /// Adds `bytes` behind those of earlier calls.
  void update(std::span<const std::byte> bytes);
  /// Digest of everything seen; the stream can't be used afterwards.
  [[nodiscard]] Sha256 finish();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

}  // namespace headstart

/// Digests are uniform already, so their first eight bytes are the hash.
template <>
struct std::hash<headstart::Sha256> {
  std::size_t operator()(const headstart::Sha256& digest) const noexcept {
    std::uint64_t first = 0;
    std::memcpy(&first, digest.bytes.data(), sizeof first);
    return static_cast<std::size_t>(first);
  }
};
