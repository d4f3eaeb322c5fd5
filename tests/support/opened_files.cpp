// tests/support/opened_files.cpp
#include "tests/support/opened_files.hpp"

#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <stdexcept>

namespace headstart::test {

OpenedFiles::OpenedFiles(const std::vector<std::filesystem::path>& folders)
    : descriptor_(inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
  for (const std::filesystem::path& folder : folders) {
    // With what lies between two openings, as the kernel merges equal events that follow each other.
    if (inotify_add_watch(descriptor_, folder.c_str(), IN_OPEN | IN_CLOSE) < 0)
      throw std::runtime_error("cannot watch " + folder.string());
  }
}

OpenedFiles::~OpenedFiles() { close(descriptor_); }

std::set<std::string> OpenedFiles::names() const {
  std::set<std::string> names;
  for (const auto& [name, count] : times()) names.insert(name);
  return names;
}

std::map<std::string, int> OpenedFiles::times() const {
  std::map<std::string, int> counts;
  alignas(inotify_event) std::array<char, 1 << 16> buffer{};
  for (ssize_t length; (length = read(descriptor_, buffer.data(), buffer.size())) > 0;) {
    for (ssize_t at = 0; at < length;) {
      inotify_event event{};
      std::memcpy(&event, buffer.data() + at, sizeof event);
      if (event.len > 0 && (event.mask & IN_OPEN) != 0U && (event.mask & IN_ISDIR) == 0U)
        ++counts[buffer.data() + at + sizeof event];
      at += static_cast<ssize_t>(sizeof event + event.len);
    }
  }
  return counts;
}

}  // namespace headstart::test
