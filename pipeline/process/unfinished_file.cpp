// pipeline/process/unfinished_file.cpp
#include "pipeline/process/unfinished_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <random>
#include <string>
#include <system_error>

#include "data/error.hpp"
#include "data/file_descriptor.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;

constexpr int kMostLinks = 40;             // the limit of Linux
constexpr std::size_t kLongestName = 200;  // of 255 bytes, with room for the suffix

[[noreturn]] void cannot_write(const fs::path& file, const std::error_code& error) {
  throw Error{Error::Kind::kFailed, "cannot write",
              fmt::format("{}: {}", printable(file.string()), error.message()),
              "make room or name another place"};
}

std::error_code last_error() { return {errno, std::generic_category()}; }

/// A new file in `folder` whose name begins with `name`. @return empty, with errno, if none can be made
std::optional<fs::path> make_file(const fs::path& folder, const std::string& name, mode_t mode) {
  std::random_device random;
  while (true) {
    fs::path made = folder / fmt::format("{}.unfinished-{:08x}", name, random());
    const FileDescriptor descriptor(::open(made.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
    if (descriptor.is_open()) return made;
    if (errno != EEXIST) return std::nullopt;
  }
}

}  // namespace

fs::path target_of(fs::path place) {
  std::error_code error;
  for (int links = 0; fs::is_symlink(fs::symlink_status(place, error)); ++links) {
    const fs::path next = fs::read_symlink(place, error);
    if (links == kMostLinks) error = std::make_error_code(std::errc::too_many_symbolic_link_levels);
    if (error) cannot_write(place, error);
    place = place.parent_path() / next;
  }
  return place;
}

UnfinishedFile::UnfinishedFile(const fs::path& file) : file_(target_of(file)) {
  std::error_code error;
  const fs::file_status status = fs::status(file, error);
  if (!fs::status_known(status)) cannot_write(file, error);
  if (fs::is_directory(status)) cannot_write(file, std::make_error_code(std::errc::is_a_directory));
  // Links of /proc/self/fd lead to an open file, not to a place: a pipe, or a file that was removed.
  if (fs::exists(status) && (!fs::is_regular_file(status) || !fs::equivalent(file, file_, error))) {
    if (::access(file.c_str(), W_OK) != 0) cannot_write(file, last_error());
    path_ = file;
    is_done_ = true;
    return;
  }
  // A replaced file keeps its access rights.
  struct stat before = {};
  const mode_t mode = ::stat(file_.c_str(), &before) == 0 ? before.st_mode & 0777U : 0666U;
  const auto made = make_file(file_.parent_path(), file_.filename().string().substr(0, kLongestName), mode);
  if (!made) cannot_write(file_, last_error());
  path_ = *made;
}

UnfinishedFile::~UnfinishedFile() {
  std::error_code ignored;
  if (!is_done_) fs::remove(path_, ignored);
}

void UnfinishedFile::publish() {
  if (is_done_) return;
  std::error_code error;
  fs::rename(path_, file_, error);
  if (error) cannot_write(file_, error);
  is_done_ = true;
}

const fs::path& UnfinishedFile::keep() noexcept {
  is_done_ = true;
  return path_;
}

}  // namespace headstart
