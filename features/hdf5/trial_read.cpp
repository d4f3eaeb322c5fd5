// features/hdf5/trial_read.cpp: fork, setrlimit, waitpid. An Error of the child comes back through a pipe as
// its kind and its line. Reading again here to get the Error would be without the limits.
#include "features/hdf5/trial_read.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <new>
#include <string>
#include <string_view>
#include <system_error>

#include "data/error.hpp"

namespace headstart {
namespace {

/// How the child ends, unless it is killed.
enum Ending : int { kRead = 0, kError = 1, kOutOfMemory = 2, kOther = 3 };

[[nodiscard]] Error unreadable(const std::filesystem::path& file, std::string_view why) {
  return Error{Error::Kind::kFailed, "cannot read a file", fmt::format("{}: {}", file.string(), why),
               "get an intact copy, from somebody you trust"};
}

[[nodiscard]] Error no_child(const std::filesystem::path& file) {
  return Error{Error::Kind::kFailed, "cannot start the process that reads a file",
               fmt::format("{}: {}", file.string(), std::generic_category().message(errno)),
               "make room for another process"};
}

void limit(__rlimit_resource resource, rlim_t value) {
  rlimit both{};
  if (getrlimit(resource, &both) != 0) return;
  both.rlim_cur = std::min(both.rlim_max, value);
  static_cast<void>(setrlimit(resource, &both));
}

/// Limits this process's addresses to those in use plus `bytes`; not under sanitizers.
void limit_addresses([[maybe_unused]] std::uint64_t bytes) {
#ifndef HEADSTART_SANITIZED
  std::uint64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  limit(RLIMIT_AS, pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)) + bytes);
#endif
}

void write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(descriptor, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

std::string read_all(int descriptor) {
  std::string text;
  std::array<char, 4096> part{};
  while (true) {
    const ssize_t count = ::read(descriptor, part.data(), part.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return text;
    text.append(part.data(), static_cast<std::size_t>(count));
  }
}

/// Everything that the child does.
[[noreturn]] void run_child(const std::function<void()>& read, const TrialLimits& limits, int pipe) {
  for (const int fatal : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGXCPU}) std::signal(fatal, SIG_DFL);
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_CPU, limits.cpu_seconds);
  limit_addresses(limits.memory_bytes);
  if (const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC); nowhere >= 0) {
    ::dup2(nowhere, STDOUT_FILENO);
    ::dup2(nowhere, STDERR_FILENO);  // the C library reports a corrupted heap there
  }
  try {
    read();
    ::_exit(kRead);
  } catch (const Error& error) {
    write_all(pipe, fmt::format("{}{}", static_cast<int>(error.kind()), error.what()));
    ::_exit(kError);
  } catch (const std::bad_alloc&) {
    ::_exit(kOutOfMemory);
  } catch (...) {
    ::_exit(kOther);
  }
}

/// The Error whose kind and line the child wrote. The line is cut at colons into three parts again; together
/// they are the same line.
[[nodiscard]] Error error_from(std::string_view text) {
  constexpr std::string_view kColon = ": ";
  const auto kind = static_cast<Error::Kind>(text.front() - '0');
  text.remove_prefix(1);
  const std::size_t first = text.find(kColon);
  const std::size_t last = text.rfind(kColon);
  return {kind, text.substr(0, first), text.substr(first + 2, last - first - 2), text.substr(last + 2)};
}

int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

}  // namespace

void try_in_child(const std::filesystem::path& file, const std::function<void()>& read,
                  const TrialLimits& limits) {
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) throw no_child(file);
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child == 0) run_child(read, limits, pipe[1]);
  ::close(pipe[1]);
  const std::string text = child < 0 ? std::string() : read_all(pipe[0]);
  ::close(pipe[0]);
  if (child < 0) throw no_child(file);
  const int status = wait_for(child);
  if (WIFSIGNALED(status)) {
    if (WTERMSIG(status) == SIGXCPU)
      throw unreadable(file, fmt::format("takes more than {} seconds", limits.cpu_seconds));
    throw unreadable(file, fmt::format("is damaged: reading it ends with '{}'", strsignal(WTERMSIG(status))));
  }
  switch (WEXITSTATUS(status)) {
    case kRead:
      return;
    case kError:
      if (text.size() > 5) throw error_from(text);
      throw unreadable(file, "is damaged: the process that reads it fails");
    case kOutOfMemory:
      throw unreadable(file, fmt::format("needs more memory than {} MiB", limits.memory_bytes >> 20U));
    default:
      throw unreadable(file, "is damaged: the process that reads it fails");
  }
}

}  // namespace headstart
