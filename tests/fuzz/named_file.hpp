// tests/fuzz/named_file.hpp: an input as a file with a name of its own in a folder, which HDF5 asks for. In
// memory where the system has a folder for that.
#pragma once

#include <unistd.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <system_error>

#include "tests/fuzz/expect.hpp"

namespace headstart::fuzz {

/// Gone at the end. One of a `name` at a time.
class NamedFile {
 public:
  explicit NamedFile(const std::string& name, std::span<const std::byte> bytes = {})
      : path_(folder() / ("headstart-fuzz-" + std::to_string(::getpid()) + "-" + name)) {
    std::ofstream file(path_, std::ios::binary | std::ios::trunc);
    file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    file.close();
    expect(file.good(), "a file can be written");
  }
  NamedFile(const NamedFile&) = delete;
  NamedFile& operator=(const NamedFile&) = delete;
  ~NamedFile() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

 private:
  static std::filesystem::path folder() {
    const std::filesystem::path memory = "/dev/shm";
    return ::access(memory.c_str(), W_OK) == 0 ? memory : std::filesystem::temp_directory_path();
  }

  std::filesystem::path path_;
};

}  // namespace headstart::fuzz
