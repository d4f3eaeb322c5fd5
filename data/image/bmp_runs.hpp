// data/image/bmp_runs.hpp: the run-length codes of BMP, RLE8 and RLE4.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <variant>
#include <vector>

#include "data/error.hpp"

namespace headstart {

/// The palette's index of each pixel, [height, width], in the order of the file's rows. As in Pillow, skipped
/// pixels have index 0. Pixels that only fill up a row are left out. A Reject if the codes leave the picture,
/// or if the file or an end code ends the picture before its last row.
/// @param codes  from the first code to the end of the file
/// @param bits   of a pixel, 8 or 4
[[nodiscard]] std::variant<std::vector<std::uint8_t>, Reject> read_bmp_runs(std::span<const std::byte> codes,
                                                                            unsigned bits, std::size_t width,
                                                                            std::size_t height);

}  // namespace headstart
