// features/cache/checked_file.cpp: the layout is: kind [32] | number of sections | their lengths | the
// sections, each padded to eight bytes | SHA-256 of everything before.
#include "features/cache/checked_file.hpp"

#include <array>
#include <cassert>
#include <utility>
#include <variant>

#include "data/file_bytes.hpp"
#include "data/sha256.hpp"
#include "features/cache/durable_file.hpp"

namespace headstart {
namespace {

constexpr std::uint64_t kMaxBytes = std::uint64_t{1} << 36;
constexpr std::size_t kKindBytes = 32;
constexpr std::size_t kTrailerBytes = sizeof(Sha256::bytes);

using Kind = std::array<char, kKindBytes>;

Kind padded_kind(std::string_view kind) {
  assert(kind.size() <= kKindBytes);
  Kind padded{};
  std::copy(kind.begin(), kind.end(), padded.begin());
  return padded;
}

std::size_t padded(std::size_t bytes) { return (bytes + 7) / 8 * 8; }

template <typename T>
void append(std::vector<std::byte>& to, const T& value) {
  const auto bytes = std::as_bytes(std::span(&value, 1));
  to.insert(to.end(), bytes.begin(), bytes.end());
}

/// Takes a value from the front. @return whether there was one
template <typename T>
bool take(std::span<const std::byte>& from, T& value) {
  if (from.size() < sizeof value) return false;
  std::memcpy(&value, from.data(), sizeof value);
  from = from.subspan(sizeof value);
  return true;
}

}  // namespace

std::optional<CheckedFile> CheckedFile::read(const std::filesystem::path& file, std::string_view kind) {
  auto read = read_file(file, kMaxBytes);
  if (std::holds_alternative<Reject>(read)) return std::nullopt;
  CheckedFile result;
  result.bytes_ = std::get<std::vector<std::byte>>(std::move(read));
  std::span<const std::byte> rest = result.bytes_;
  if (rest.size() < kKindBytes + kTrailerBytes) return std::nullopt;
  Sha256 digest;
  std::memcpy(digest.bytes.data(), rest.last(kTrailerBytes).data(), kTrailerBytes);
  rest = rest.first(rest.size() - kTrailerBytes);
  Kind found;
  if (std::memcmp(rest.data(), padded_kind(kind).data(), kKindBytes) != 0) return std::nullopt;
  if (sha256(rest) != digest || !take(rest, found)) return std::nullopt;

  std::uint64_t count = 0;
  if (!take(rest, count) || count > rest.size() / sizeof(std::uint64_t)) return std::nullopt;
  std::vector<std::uint64_t> lengths(count);
  for (std::uint64_t& length : lengths) take(rest, length);
  for (const std::uint64_t length : lengths) {
    if (length > rest.size() || padded(length) > rest.size()) return std::nullopt;
    result.sections_.push_back(rest.first(length));
    rest = rest.subspan(padded(length));
  }
  return result;
}

std::optional<std::string> CheckedFile::write(const std::filesystem::path& file, std::string_view kind,
                                              std::span<const std::span<const std::byte>> sections) {
  std::size_t total = kKindBytes + (1 + sections.size()) * sizeof(std::uint64_t) + kTrailerBytes;
  for (const auto& section : sections) total += padded(section.size());
  std::vector<std::byte> bytes;
  bytes.reserve(total);
  append(bytes, padded_kind(kind));
  append(bytes, std::uint64_t{sections.size()});
  for (const auto& section : sections) append(bytes, std::uint64_t{section.size()});
  for (const auto& section : sections) {
    bytes.insert(bytes.end(), section.begin(), section.end());
    bytes.resize(padded(bytes.size()));
  }
  append(bytes, sha256(bytes).bytes);
  return write_durably(file, bytes);
}

}  // namespace headstart
