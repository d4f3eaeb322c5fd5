// pipeline/write_file.cpp
#include "pipeline/write_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <system_error>

#include "data/error.hpp"

namespace headstart {

namespace {

/// @param shown  what an error calls the file
void write_parts(const std::filesystem::path& file, std::span<const std::span<const std::byte>> parts,
                 const std::filesystem::path& shown) {
  std::FILE* stream = std::fopen(file.c_str(), "wbe");
  const auto write = [stream](std::span<const std::byte> bytes) {
    // Nothing may lie at a null pointer, which fwrite must not be given.
    return bytes.empty() || std::fwrite(bytes.data(), 1, bytes.size(), stream) == bytes.size();
  };
  const bool written = stream != nullptr && std::all_of(parts.begin(), parts.end(), write);
  int failed = written ? 0 : errno;
  if (stream != nullptr && std::fclose(stream) != 0 && failed == 0) failed = errno;
  if (failed == 0) return;
  throw Error{Error::Kind::kFailed, "cannot write",
              fmt::format("{}: {}", printable(shown.string()), std::strerror(failed)),
              "make room or name another place"};
}

}  // namespace

void write_file(const std::filesystem::path& file, std::span<const std::span<const std::byte>> parts) {
  write_parts(file, parts, file);
}

void write_file(const std::filesystem::path& file, std::span<const std::byte> bytes) {
  write_file(file, std::span(&bytes, 1));
}

void write_file(const std::filesystem::path& file, std::string_view text) {
  write_file(file, std::as_bytes(std::span(text)));
}

void replace_file(const std::filesystem::path& file, std::span<const std::span<const std::byte>> parts) {
  std::filesystem::path unfinished = file;
  unfinished += ".unfinished";
  std::error_code error;
  try {
    write_parts(unfinished, parts, file);
  } catch (...) {
    std::filesystem::remove(unfinished, error);
    throw;
  }
  std::filesystem::rename(unfinished, file, error);
  if (!error) return;
  const std::string reason = error.message();
  std::filesystem::remove(unfinished, error);
  throw Error{Error::Kind::kFailed, "cannot write", fmt::format("{}: {}", printable(file.string()), reason),
              "name another place"};
}

}  // namespace headstart
