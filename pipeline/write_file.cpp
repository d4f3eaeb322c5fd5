// pipeline/write_file.cpp
#include "pipeline/write_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "data/error.hpp"
#include "pipeline/unfinished_file.hpp"

namespace headstart {

void write_file(const std::filesystem::path& file, std::span<const std::span<const std::byte>> parts) {
  UnfinishedFile unfinished(file);
  std::FILE* stream = std::fopen(unfinished.path().c_str(), "wbe");
  const auto write = [stream](std::span<const std::byte> bytes) {
    // Nothing may lie at a null pointer, which fwrite must not be given.
    return bytes.empty() || std::fwrite(bytes.data(), 1, bytes.size(), stream) == bytes.size();
  };
  const bool written = stream != nullptr && std::all_of(parts.begin(), parts.end(), write);
  int failed = written ? 0 : errno;
  if (stream != nullptr && std::fclose(stream) != 0 && failed == 0) failed = errno;
  if (failed == 0) return unfinished.publish();
  throw Error{Error::Kind::kFailed, "cannot write",
              fmt::format("{}: {}", printable(file.string()), std::strerror(failed)),
              "make room or name another place"};
}

void write_file(const std::filesystem::path& file, std::span<const std::byte> bytes) {
  write_file(file, std::span(&bytes, 1));
}

void write_file(const std::filesystem::path& file, std::string_view text) {
  write_file(file, std::as_bytes(std::span(text)));
}

}  // namespace headstart
