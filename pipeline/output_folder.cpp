// pipeline/output_folder.cpp
#include "pipeline/output_folder.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <system_error>
#include <vector>

#include "data/error.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;

/// Everything that headstart ever puts into an OUT folder.
constexpr std::array<std::string_view, 8> kOwnFiles{"model.h5",        "metrics.json", "history.csv",
                                                    "predictions.csv", "images.csv",   "class_indices.json",
                                                    "config.toml",     "report.html"};

Error cannot_use(const fs::path& out, std::string_view why) {
  return Error{Error::Kind::kUsage, "cannot write the output folder",
               fmt::format("{}: {}", printable(out.string()), why), "name a new folder with -o"};
}

Error cannot_publish(const fs::path& out, int error) {
  return Error{Error::Kind::kFailed, "cannot publish the output folder",
               fmt::format("{}: {}", printable(out.string()), std::strerror(error)),
               "free some space or name another folder with -o"};
}

/// A folder may be replaced if it is empty, or if headstart made it: metrics.json and config.toml are there
/// and nothing else that could be somebody's work.
void check_replaceable(const fs::path& out) {
  std::error_code error;
  const auto status = fs::symlink_status(out, error);
  if (!fs::exists(status)) return;
  if (!fs::is_directory(status)) throw cannot_use(out, "exists and is not a folder");
  bool empty = true;
  for (const auto& entry : fs::directory_iterator(out, error)) {
    empty = false;
    const std::string name = entry.path().filename().string();
    if (std::find(kOwnFiles.begin(), kOwnFiles.end(), name) == kOwnFiles.end()) {
      throw cannot_use(out, fmt::format("holds '{}', which headstart did not make", printable(name)));
    }
  }
  if (error) throw cannot_use(out, error.message());
  if (!empty && !(fs::exists(out / "metrics.json", error) && fs::exists(out / "config.toml", error))) {
    throw cannot_use(out, "exists and was not made by headstart");
  }
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

OutputFolder::OutputFolder(fs::path out) {
  if (out.empty())
    throw Error{Error::Kind::kUsage, "no output folder", "-o is empty", "name a folder with -o"};
  std::error_code error;
  out_ = fs::absolute(out, error).lexically_normal();
  if (!out_.has_filename()) out_ = out_.parent_path();  // "out/" names the folder "out"
  const fs::path last = (out / "").parent_path().filename();
  if (last == "." || last == ".." || out_ == out_.root_path())
    throw cannot_use(out, "is not a folder of its own");
  check_replaceable(out_);
  fs::create_directories(out_.parent_path(), error);
  std::string pattern = (out_.parent_path() / fmt::format(".{}.XXXXXX", out_.filename().string())).string();
  if (mkdtemp(pattern.data()) == nullptr) throw cannot_use(out, std::strerror(errno));
  staging_ = pattern;
  const mode_t mask = umask(0);
  umask(mask);
  fs::permissions(staging_, static_cast<fs::perms>(0777U & ~mask), error);  // mkdtemp gives 0700
}

OutputFolder::~OutputFolder() {
  if (staging_.empty()) return;
  std::error_code ignored;
  fs::remove_all(staging_, ignored);
}

void OutputFolder::publish() {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(staging_)) {
    if (const int failed = sync_path(entry.path()); failed != 0) throw cannot_publish(out_, failed);
  }
  if (const int failed = sync_path(staging_); failed != 0) throw cannot_publish(out_, failed);

  check_replaceable(out_);  // the run took a while: someone may have put something there
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

}  // namespace headstart
