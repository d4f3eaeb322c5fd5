// tests/data/image_files.cpp
#include "tests/data/image_files.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <span>
#include <sstream>

#include "tests/support/golden.hpp"

namespace headstart::test {

namespace fs = std::filesystem;

std::vector<std::string> image_names() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(source_path("tests/data/images"))) {
    if (entry.is_regular_file()) names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::string> decodable_image_names() {
  std::vector<std::string> names = image_names();
  std::erase_if(names,
                [](const std::string& name) { return !fs::exists(image_path("expected/" + name + ".ppm")); });
  return names;
}

fs::path image_path(const std::string& name) { return source_path("tests/data/images/" + name); }

std::vector<std::byte> bytes_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) {
    std::cerr << "cannot read " << file << '\n';
    std::abort();
  }
  const std::string text((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
  return bytes(text);
}

std::vector<std::byte> image_bytes(const std::string& name) { return bytes_of(image_path(name)); }

RgbImage picture(const fs::path& file) {
  const std::vector<std::byte> content = bytes_of(file);
  RgbImage image;
  std::istringstream header(
      std::string(reinterpret_cast<const char*>(content.data()), std::min<std::size_t>(content.size(), 40)));
  std::string magic;
  int maximum = 0;
  header >> magic >> image.width >> image.height >> maximum;
  const auto size = static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.height) * 3;
  if (magic != "P6" || maximum != 255 || size == 0 || size > content.size()) {
    std::cerr << "not a picture: " << file << '\n';
    std::abort();
  }
  image.pixels.resize(size);
  std::memcpy(image.pixels.data(), content.data() + (content.size() - size), size);
  return image;
}

RgbImage expected_picture(const std::string& name) {
  return picture(image_path("expected/" + name + ".ppm"));
}

std::vector<float> floats_of(const fs::path& file) {
  const std::vector<std::byte> content = bytes_of(file);
  std::vector<float> values(content.size() / sizeof(float));
  std::memcpy(values.data(), content.data(), values.size() * sizeof(float));
  return values;
}

std::vector<std::byte> bytes(std::string_view text) {
  const auto all = std::as_bytes(std::span(text));
  return {all.begin(), all.end()};
}

}  // namespace headstart::test
