// data/image/pnm.hpp: the netpbm formats P1 to P6, to RGB.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <variant>

#include "data/image/decode.hpp"

namespace headstart {

struct PnmHeader {
  char kind = '0';            ///< '1' to '6'
  std::uint32_t width = 0;    ///< 0 if the header is cut off or malformed
  std::uint32_t height = 0;   ///< likewise
  std::uint32_t maximum = 1;  ///< the value of white, 1..65535; 0 likewise
  std::size_t data_offset = 0;
};

/// Nothing if `bytes` is none of P1 to P6.
[[nodiscard]] std::optional<PnmHeader> read_pnm_header(std::span<const std::byte> bytes);

/// Samples scale to 0..255, rounded to nearest; 16-bit samples whose white is 65535 become their high byte.
/// @param range  of samples whose white is above 255
/// @param bytes  has a header, whose image is within the caller's limit of pixels
[[nodiscard]] std::variant<DecodedImage, Reject> decode_pnm(std::span<const std::byte> bytes,
                                                            const std::optional<SampleRange>& range);

}  // namespace headstart
