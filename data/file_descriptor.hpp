// data/file_descriptor.hpp: owns an open file descriptor.
#pragma once

#include <unistd.h>

#include <utility>

namespace headstart {

/// Closes it in the end; movable.
class FileDescriptor final {
 public:
  /// Owns `value`, what open() gave; a negative one is none.
  explicit FileDescriptor(int value) noexcept : value_(value) {}
  /// Takes it over.
  FileDescriptor(FileDescriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  FileDescriptor& operator=(FileDescriptor&&) = delete;
  ~FileDescriptor() {
    if (value_ >= 0) ::close(value_);
  }

  /// The descriptor, still owned here.
  [[nodiscard]] int get() const noexcept { return value_; }
  /// Whether there is one.
  [[nodiscard]] bool is_open() const noexcept { return value_ >= 0; }

 private:
  int value_;
};

}  // namespace headstart
