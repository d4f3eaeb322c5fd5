// tests/interop/decode_pictures.cpp: the pixels of picture files, for scripts that hold them against what
// other software reads. Names come on stdin, one a line. For each, stdout has a line "picture WIDTH HEIGHT
// NOTE" and WIDTH * HEIGHT * 3 bytes, or a line "reject REASON". Arguments: --drop-alpha, --ignore-exif.
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "data/image/decode.hpp"

namespace {

std::vector<char> contents(const std::string& name) {
  std::ifstream file(name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write(const std::variant<headstart::DecodedImage, headstart::Reject>& decoded) {
  if (const auto* const reject = std::get_if<headstart::Reject>(&decoded)) {
    std::cout << "reject " << reject->reason << '\n';
    return;
  }
  const auto& [image, note] = std::get<headstart::DecodedImage>(decoded);
  std::cout << "picture " << image.width << ' ' << image.height << ' ' << note << '\n';
  std::cout.write(reinterpret_cast<const char*>(image.pixels.data()),
                  static_cast<std::streamsize>(image.pixels.size()));
}

}  // namespace

int main(int count, char** words) {
  headstart::DecodeOptions options;
  for (const std::string_view word : std::span(words, static_cast<std::size_t>(count)).subspan(1)) {
    if (word == "--drop-alpha") {
      options.alpha = headstart::Alpha::kDrop;
    } else if (word == "--ignore-exif") {
      options.ignore_exif = true;
    } else {
      std::fprintf(stderr, "decode_pictures: unknown argument: %s\n", word.data());
      return 2;
    }
  }
  for (std::string name; std::getline(std::cin, name);) {
    const std::vector<char> bytes = contents(name);
    write(decode_image(std::as_bytes(std::span(bytes)), options));
    std::cout.flush();
  }
  return std::cout ? 0 : 1;
}
