// features/network/float_type.cpp: see float_type.hpp.
#include "features/network/float_type.hpp"

#include <bit>
#include <cstdint>
#include <cstring>

#include "features/float16.hpp"

namespace headstart {
namespace {

static_assert(std::endian::native == std::endian::little, "values are copied as they lie in the file");

float from_float16(std::uint16_t bits) noexcept { return to_float32(Float16{bits}); }

float from_bfloat16(std::uint16_t bits) noexcept {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16U);
}

template <typename Stored, typename Convert>
std::vector<float> converted(std::span<const std::byte> bytes, Convert convert) {
  std::vector<float> values(bytes.size() / sizeof(Stored));
  for (std::size_t i = 0; i < values.size(); ++i) {
    Stored stored;
    std::memcpy(&stored, bytes.data() + i * sizeof stored, sizeof stored);
    values[i] = convert(stored);
  }
  return values;
}

}  // namespace

std::size_t bytes_of(FloatType type) noexcept {
  switch (type) {
    case FloatType::kFloat16:
    case FloatType::kBfloat16:
      return 2;
    case FloatType::kFloat64:
      return 8;
    case FloatType::kFloat32:
      break;
  }
  return 4;
}

std::vector<float> decode_floats(FloatType type, std::span<const std::byte> bytes) {
  switch (type) {
    case FloatType::kFloat16:
      return converted<std::uint16_t>(bytes, from_float16);
    case FloatType::kBfloat16:
      return converted<std::uint16_t>(bytes, from_bfloat16);
    case FloatType::kFloat64:
      return converted<double>(bytes, [](double value) { return static_cast<float>(value); });
    case FloatType::kFloat32:
      break;
  }
  return converted<float>(bytes, [](float value) { return value; });
}

}  // namespace headstart
