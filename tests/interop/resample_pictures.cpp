// tests/interop/resample_pictures.cpp: network inputs made of picture files, for scripts that hold them
// against what other software makes. Each line of stdin asks for one: "SIZE RESIZE CROP_SHARE INTERPOLATION
// ANTIALIAS FILE", where ANTIALIAS is 0 or 1. The answer on stdout is SIZE * SIZE * 3 floats of this machine.
// A file that is no picture ends the program.
#include <cstddef>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>
#include <span>
#include <sstream>
#include <string>
#include <variant>
#include <vector>

#include "data/image/decode.hpp"
#include "data/image/resize.hpp"
#include "memory/enum_names.hpp"

namespace {

using namespace headstart;

struct Request {
  ResizeOptions options;
  std::string file;
};

std::optional<Request> parse(const std::string& line) {
  std::istringstream words(line);
  Request request;
  std::string mode;
  std::string interpolation;
  words >> request.options.size >> mode >> request.options.crop_share >> interpolation >>
      request.options.antialias;
  std::getline(words >> std::ws, request.file);
  const auto known_mode = parse_name<ResizeMode>(mode);
  const auto known_interpolation = parse_name<Interpolation>(interpolation);
  if (!words || !known_mode || !known_interpolation) return std::nullopt;
  request.options.mode = *known_mode;
  request.options.interpolation = *known_interpolation;
  return request;
}

/// False if the file is no picture.
bool answer(const Request& request) {
  std::ifstream file(request.file, std::ios::binary);
  const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
  const auto decoded = decode_image(std::as_bytes(std::span(bytes)), {});
  if (!std::holds_alternative<DecodedImage>(decoded)) return false;
  const RgbImage& image = std::get<DecodedImage>(decoded).image;
  const auto size = static_cast<std::size_t>(request.options.size);
  std::vector<float> out(size * size * 3);
  resize(image, request.options, out);
  std::cout.write(reinterpret_cast<const char*>(out.data()),
                  static_cast<std::streamsize>(out.size() * sizeof(float)));
  std::cout.flush();
  return true;
}

}  // namespace

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    const std::optional<Request> request = parse(line);
    if (!request || !answer(*request)) {
      std::fprintf(stderr, "resample_pictures: no answer to: %s\n", line.c_str());
      return 1;
    }
  }
  return std::cout ? 0 : 1;
}
