// pipeline/write_file.cpp
#include "pipeline/write_file.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "data/error.hpp"

namespace headstart {

void write_file(const std::filesystem::path& file, std::span<const std::byte> bytes) {
  std::FILE* stream = std::fopen(file.c_str(), "wbe");
  const bool written =
      stream != nullptr && std::fwrite(bytes.data(), 1, bytes.size(), stream) == bytes.size();
  int failed = written ? 0 : errno;
  if (stream != nullptr && std::fclose(stream) != 0 && failed == 0) failed = errno;
  if (failed == 0) return;
  throw Error{Error::Kind::kFailed, "cannot write",
              fmt::format("{}: {}", printable(file.string()), std::strerror(failed)),
              "make room or name another place"};
}

void write_file(const std::filesystem::path& file, std::string_view text) {
  write_file(file, std::as_bytes(std::span(text)));
}

}  // namespace headstart
