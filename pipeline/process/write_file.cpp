// pipeline/process/write_file.cpp
#include "pipeline/process/write_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "data/error.hpp"
#include "pipeline/process/unfinished_file.hpp"

namespace headstart {

void write_file(const std::filesystem::path& file, const std::function<void(const WriteBytes&)>& produce) {
  UnfinishedFile unfinished(file);
  const auto check = [&](bool done) {
    if (done) return;
    throw Error{Error::Kind::kFailed, "cannot write",
                fmt::format("{}: {}", printable(file.string()), std::strerror(errno)),
                "make room or name another place"};
  };
  struct Close {
    void operator()(std::FILE* stream) const noexcept { std::fclose(stream); }
  };
  std::unique_ptr<std::FILE, Close> stream(std::fopen(unfinished.path().c_str(), "wbe"));
  check(stream != nullptr);
  produce([&](std::span<const std::byte> bytes) {
    // An empty span may have a null pointer, which fwrite must not get.
    check(bytes.empty() || std::fwrite(bytes.data(), 1, bytes.size(), stream.get()) == bytes.size());
  });
  check(std::fclose(stream.release()) == 0);
  unfinished.publish();
}

void write_file(const std::filesystem::path& file, std::span<const std::span<const std::byte>> parts) {
  write_file(file, [&](const WriteBytes& write) { std::for_each(parts.begin(), parts.end(), write); });
}

void write_file(const std::filesystem::path& file, std::span<const std::byte> bytes) {
  write_file(file, std::span(&bytes, 1));
}

void write_file(const std::filesystem::path& file, std::string_view text) {
  write_file(file, std::as_bytes(std::span(text)));
}

}  // namespace headstart
