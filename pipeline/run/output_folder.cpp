// pipeline/run/output_folder.cpp
#include "pipeline/run/output_folder.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

#include "data/dataset/own_output.hpp"
#include "data/error.hpp"
#include "pipeline/process/interrupt.hpp"
#include "pipeline/process/unfinished_file.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;

constexpr int kStagingAttempts = 1000;

Error cannot_use(const fs::path& out, std::string_view why) {
  return Error{Error::Kind::kUsage, "cannot write the output folder",
               fmt::format("{}: {}", printable(out.string()), why), "name a new folder with -o"};
}

Error cannot_publish(const fs::path& out, int error) {
  return Error{Error::Kind::kFailed, "cannot publish the output folder",
               fmt::format("{}: {}", printable(out.string()), std::strerror(error)),
               "free some space or name another folder with -o"};
}

/// A folder may be replaced if it is empty or if headstart made it. Then metrics.json and config.toml are in
/// it, and no file that may be the user's own work.
void check_replaceable(const fs::path& out) {
  std::error_code error;
  const auto status = fs::symlink_status(out, error);
  if (!fs::exists(status)) return;
  if (!fs::is_directory(status)) throw cannot_use(out, "exists and is not a folder");
  bool empty = true;
  for (const auto& entry : fs::directory_iterator(out, error)) {
    empty = false;
    const std::string name = entry.path().filename().string();
    if (!is_output_file(name)) {
      throw cannot_use(out, fmt::format("holds '{}', which headstart did not make", printable(name)));
    }
  }
  if (error) throw cannot_use(out, error.message());
  if (!empty && !(std::all_of(kOutputMarks.begin(), kOutputMarks.end(),
                              [&](auto mark) { return fs::exists(out / mark, error); }))) {
    throw cannot_use(out, "exists and was not made by headstart");
  }
}

/// A descriptor of `folder` with an exclusive lock on it. If a live run holds a lock, or the folder can't
/// be opened, the result is -1 and errno is set.
int lock_folder(const fs::path& folder) {
  const int descriptor = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor >= 0 && flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    const int failed = errno;
    close(descriptor);
    errno = failed;
    return -1;
  }
  return descriptor;
}

/// The beginning of the names of OUT's staging folders: ".out." for a folder "out".
std::string staging_prefix(const fs::path& out) { return fmt::format(".{}.", out.filename().string()); }

void remove_abandoned(const fs::path& out) {
  constexpr std::size_t kSuffix = 6;  // of mkdtemp
  const std::string prefix = staging_prefix(out);
  std::error_code error;
  for (fs::directory_iterator entry(out.parent_path(), error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (!name.starts_with(prefix) || name.size() != prefix.size() + kSuffix) continue;
    const int lock = lock_folder(entry->path());
    if (lock < 0) continue;
    std::error_code ignored;
    fs::remove_all(entry->path(), ignored);
    close(lock);
  }
}

/// A new staging folder, and lock_folder() of it. Another run may start at the same moment, such as a process
/// of one MPI launch. The other run may see the folder before the folder is locked, and remove it. Then a new
/// one is made.
std::pair<fs::path, int> make_staging(const fs::path& out) {
  for (int attempt = 0; attempt < kStagingAttempts; ++attempt) {
    std::string folder = (out.parent_path() / (staging_prefix(out) + "XXXXXX")).string();
    if (mkdtemp(folder.data()) == nullptr) throw cannot_use(out, std::strerror(errno));
    const int lock = lock_folder(folder);
    if (lock < 0 && errno != EWOULDBLOCK && errno != ENOENT) return {folder, lock};  // no locks here at all
    std::error_code error;
    if (lock >= 0 && fs::exists(folder, error)) return {folder, lock};
    if (lock >= 0) close(lock);
  }
  throw cannot_use(out, "other runs keep removing its temporary folder");
}

/// fsync of a file or folder. @returns 0 or errno
int sync_path(const fs::path& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return errno;
  const int result = fsync(descriptor) == 0 ? 0 : errno;
  close(descriptor);
  return result;
}

}  // namespace

OutputFolder::OutputFolder(const fs::path& out) {
  if (out.empty())
    throw Error{Error::Kind::kUsage, "no output folder", "-o is empty", "name a folder with -o"};
  std::error_code error;
  out_ = fs::absolute(out, error).lexically_normal();
  if (!out_.has_filename()) out_ = out_.parent_path();  // "out/" names the folder "out"
  const fs::path last = (out / "").parent_path().filename();
  if (last == "." || last == ".." || out_ == out_.root_path())
    throw cannot_use(out, "is not a folder of its own");
  if (fs::is_symlink(fs::symlink_status(out_, error))) {
    out_ = fs::weakly_canonical(target_of(out_), error);
    if (error) throw cannot_use(out, error.message());
  }
  check_replaceable(out_);
  fs::create_directories(out_.parent_path(), error);
  remove_abandoned(out_);
  std::tie(staging_, lock_) = make_staging(out_);
  const mode_t mask = umask(0);
  umask(mask);
  fs::permissions(staging_, static_cast<fs::perms>(0777U & ~mask), error);  // mkdtemp gives 0700
}

OutputFolder::~OutputFolder() {
  if (!staging_.empty()) {
    std::error_code ignored;
    fs::remove_all(staging_, ignored);
  }
  if (lock_ >= 0) close(lock_);
}

void OutputFolder::publish() {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(staging_)) {
    if (const int failed = sync_path(entry.path()); failed != 0) throw cannot_publish(out_, failed);
  }
  if (const int failed = sync_path(staging_); failed != 0) throw cannot_publish(out_, failed);

  const Finishing finishing;  // Ctrl-C must not end the process between two renames
  check_replaceable(out_);    // the run took a while: another program may have made files there
  if (!fs::exists(out_)) {
    fs::rename(staging_, out_, error);
    if (error) throw cannot_publish(out_, error.value());
  } else if (renameat2(AT_FDCWD, staging_.c_str(), AT_FDCWD, out_.c_str(), RENAME_EXCHANGE) == 0) {
    fs::remove_all(staging_, error);
  } else {
    const fs::path old = out_.string() + ".old";
    fs::rename(out_, old, error);
    if (error) throw cannot_publish(out_, error.value());
    fs::rename(staging_, out_, error);
    if (error) {
      const int failed = error.value();
      fs::rename(old, out_, error);
      throw cannot_publish(out_, failed);
    }
    fs::remove_all(old, error);
  }
  staging_.clear();
  sync_path(out_.parent_path());
}

std::filesystem::path OutputFolder::beside(std::string_view name) const {
  return fmt::format("{}.{}", out_.string(), name);
}

void OutputFolder::publish_beside(std::string_view name) {
  const fs::path staged = staging_ / name;
  const fs::path target = beside(name);
  std::error_code error;
  int failed = sync_path(staged);
  if (failed == 0) {
    fs::rename(staged, target, error);
    failed = error.value();
  }
  if (failed == 0) failed = sync_path(target.parent_path());
  if (failed == 0) return;
  fs::remove(staged, error);
  throw Error{Error::Kind::kFailed, "cannot write",
              fmt::format("{}: {}", printable(target.string()), std::strerror(failed)),
              "make room or name another place"};
}

void OutputFolder::remove_beside(std::string_view name) const noexcept {
  try {
    const fs::path folder = beside(name);
    check_replaceable(folder);
    fs::remove_all(folder);
  } catch (const std::exception&) {  // not ours, or it can't be removed, which does no harm
    return;
  }
}

}  // namespace headstart
