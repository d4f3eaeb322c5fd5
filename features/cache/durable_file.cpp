// features/cache/durable_file.cpp: POSIX calls, because the standard library has no fsync and its streams
// hide the reason of a failure.
#include "features/cache/durable_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <random>
#include <string_view>
#include <system_error>

#include "data/file_descriptor.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kTemporaryPrefix = ".writing-";
constexpr std::chrono::hours kStale{24};

[[noreturn]] void throw_errno() { throw std::system_error(errno, std::generic_category()); }

/// Unique among the processes of all machines that share the folder. Process ids alone are not unique there.
std::string temporary_name() {
  static std::atomic<std::uint64_t> counter{0};
  std::random_device random;
  return fmt::format("{}{}-{}-{:08x}{:08x}", kTemporaryPrefix, ::getpid(), counter++, random(), random());
}

/// Syncs a file or, with O_DIRECTORY, a folder.
void sync_path(const fs::path& path, int flags) {
  const FileDescriptor descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | flags));
  if (descriptor.get() < 0) throw_errno();
  // EINVAL: no sync needed there. EROFS: nothing can be pending.
  if (::fsync(descriptor.get()) != 0 && errno != EINVAL && errno != EROFS) throw_errno();
}

void sync_folder(const fs::path& folder) { sync_path(folder, O_DIRECTORY); }

fs::path folder_of(const fs::path& file) {
  return file.has_parent_path() ? file.parent_path() : fs::path(".");
}

/// Like create_directories, but makes each new folder's entry durable.
void make_folders(const fs::path& folder) {
  if (folder.empty() || fs::is_directory(folder)) return;
  make_folders(folder.parent_path());
  fs::create_directory(folder);  // no error if another process is faster
  sync_folder(folder_of(folder));
}

void write_and_sync(const fs::path& file, std::span<const std::byte> bytes) {
  const FileDescriptor descriptor(::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (descriptor.get() < 0) throw_errno();
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw_errno();
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  // fsync, not close, reports late failures of a network file system.
  if (::fsync(descriptor.get()) != 0) throw_errno();
}

}  // namespace

std::optional<std::string> write_durably(const fs::path& file, std::span<const std::byte> bytes) {
  const fs::path folder = folder_of(file);
  const fs::path temporary = folder / temporary_name();
  try {
    make_folders(folder);
    write_and_sync(temporary, bytes);
    if (::rename(temporary.c_str(), file.c_str()) != 0) throw_errno();
    sync_folder(folder);
    return std::nullopt;
  } catch (const std::system_error& error) {  // fs::filesystem_error is one
    ::unlink(temporary.c_str());
    return error.code().message();
  }
}

std::optional<std::string> make_durable(const fs::path& file) {
  try {
    sync_path(file, 0);
    sync_folder(folder_of(file));
    return std::nullopt;
  } catch (const std::system_error& error) {
    return error.code().message();
  }
}

void remove_stale_temporaries(const fs::path& folder) noexcept {
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    if (!entry->path().filename().native().starts_with(kTemporaryPrefix)) continue;
    std::error_code gone;
    const fs::file_time_type written = entry->last_write_time(gone);
    if (!gone && fs::file_time_type::clock::now() - written > kStale) fs::remove(entry->path(), gone);
  }
}

}  // namespace headstart
