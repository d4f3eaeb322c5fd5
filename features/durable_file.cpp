// features/durable_file.cpp
#include "features/durable_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <system_error>

namespace headstart {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kTemporaryPrefix = ".writing-";
constexpr std::chrono::hours kStale{24};

/// errno of the first failure, or 0.
int write_all(int descriptor, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    if (written == 0) return ENOSPC;
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return fsync(descriptor) == 0 ? 0 : errno;
}

int sync_folder(const fs::path& folder) {
  const int descriptor = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return errno;
  const int failed = fsync(descriptor) == 0 ? 0 : errno;
  close(descriptor);
  return failed;
}

/// mkstemp makes files that only the owner can read; a shared cache follows the umask, as every other file
/// does.
void use_default_permissions(int descriptor) {
  const mode_t mask = umask(0);
  umask(mask);
  (void)fchmod(descriptor, 0666 & ~mask);
}

}  // namespace

std::optional<std::string> write_durably(const fs::path& file, std::span<const std::byte> bytes) {
  const fs::path folder = file.parent_path();
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return error.message();
  std::string temporary = (folder / (std::string(kTemporaryPrefix) + "XXXXXX")).string();
  const int descriptor = mkostemp(temporary.data(), O_CLOEXEC);
  if (descriptor < 0) return std::strerror(errno);
  use_default_permissions(descriptor);
  int failed = write_all(descriptor, bytes);
  if (close(descriptor) != 0 && failed == 0) failed = errno;
  if (failed == 0 && rename(temporary.c_str(), file.c_str()) != 0) failed = errno;
  if (failed != 0) {
    unlink(temporary.c_str());
    return std::strerror(failed);
  }
  if (failed = sync_folder(folder); failed != 0) return std::strerror(failed);
  return std::nullopt;
}

void remove_stale_temporaries(const fs::path& folder) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().filename().string().rfind(kTemporaryPrefix, 0) != 0) continue;
    const auto age = fs::file_time_type::clock::now() - entry.last_write_time(error);
    if (!error && age > kStale) fs::remove(entry.path(), error);
  }
}

}  // namespace headstart
