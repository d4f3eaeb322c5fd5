// data/file_descriptor.hpp: owns an open file descriptor.
#pragma once

#include <unistd.h>

#include <utility>

namespace headstart {

/// Closes the descriptor in the destructor; movable.
class FileDescriptor final {
 public:
  /// Owns `value`, the result of open(). A negative value stands for no descriptor.
  explicit FileDescriptor(int value) noexcept : value_(value) {}
  /// Takes the descriptor of `other`.
  FileDescriptor(FileDescriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  FileDescriptor& operator=(FileDescriptor&&) = delete;
  ~FileDescriptor() {
    if (value_ >= 0) ::close(value_);
  }

  /// The descriptor, still owned here.
  [[nodiscard]] int get() const noexcept { return value_; }
  /// Whether there is a descriptor.
  [[nodiscard]] bool is_open() const noexcept { return value_ >= 0; }

 private:
  int value_;
};

}  // namespace headstart
