// data/file_bytes.cpp: POSIX calls instead of streams, because a FIFO must not block. The type is read from
// the open file, because the name may lead to another file by now.
#include "data/file_bytes.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "data/file_descriptor.hpp"

namespace headstart {
namespace {

Reject with_system_reason(const char* what) {
  return Reject{fmt::format("{}: {}", what, std::generic_category().message(errno))};
}

}  // namespace

std::variant<std::vector<std::byte>, Reject> read_file(const std::filesystem::path& file,
                                                       std::uint64_t max_bytes) {
  const FileDescriptor descriptor(::open(file.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!descriptor.is_open()) return with_system_reason("cannot be opened");

  struct stat status = {};
  if (::fstat(descriptor.get(), &status) != 0) return with_system_reason("cannot be read");
  if (S_ISDIR(status.st_mode)) return Reject{"is a folder, not a file"};
  if (!S_ISREG(status.st_mode)) return Reject{"is not a regular file"};
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (size == 0) return Reject{"is empty"};
  if (size > max_bytes)
    return Reject{fmt::format("has {} bytes, more than the limit of {}", size, max_bytes)};

  std::vector<std::byte> bytes(size);
  std::size_t filled = 0;
  while (filled < bytes.size()) {
    const ssize_t count = ::read(descriptor.get(), bytes.data() + filled, bytes.size() - filled);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return with_system_reason("cannot be read");
    if (count == 0) return Reject{"shrank while it was read"};
    filled += static_cast<std::size_t>(count);
  }
  return bytes;
}

}  // namespace headstart
