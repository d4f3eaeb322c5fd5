// tests/data/image_files.hpp: reads what make_images.py made, with nothing of headstart's own decoders.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "data/image/rgb_image.hpp"

namespace headstart::test {

/// Names of the files in tests/data/images.
[[nodiscard]] std::vector<std::string> image_names();
/// Those that have an expected picture.
[[nodiscard]] std::vector<std::string> decodable_image_names();
[[nodiscard]] std::filesystem::path image_path(const std::string& name);
/// Fails the program if the file isn't there.
[[nodiscard]] std::vector<std::byte> bytes_of(const std::filesystem::path& file);
[[nodiscard]] std::vector<std::byte> image_bytes(const std::string& name);
/// A P6 file whose header is exactly "P6\nWIDTH HEIGHT\n255\n".
[[nodiscard]] RgbImage picture(const std::filesystem::path& file);
[[nodiscard]] RgbImage expected_picture(const std::string& name);
[[nodiscard]] std::vector<float> floats_of(const std::filesystem::path& file);

/// Literal text as bytes.
[[nodiscard]] std::vector<std::byte> bytes(std::string_view text);

}  // namespace headstart::test
