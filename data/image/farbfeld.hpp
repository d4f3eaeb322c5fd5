// data/image/farbfeld.hpp: farbfeld images, 16 bits a channel, to RGB.
#pragma once

#include <cstddef>
#include <span>

#include "data/image/image_format.hpp"

namespace headstart {

/// The size that the header states. Nothing if `bytes` is no farbfeld.
[[nodiscard]] std::optional<std::variant<StatedSize, Reject>> farbfeld_size(std::span<const std::byte> bytes);

/// Samples become their high byte, unless `options` has a range.
[[nodiscard]] std::variant<DecodedImage, Reject> decode_farbfeld(std::span<const std::byte> bytes,
                                                                 const ImageHeader& header,
                                                                 const DecodeOptions& options, int divisor);

}  // namespace headstart
