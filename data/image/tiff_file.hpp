// data/image/tiff_file.hpp: libtiff's handle on a file in memory. Keeps libtiff's messages instead of
// printing them.
#pragma once

#include <tiffio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace headstart {

/// Only for reading; belongs to one thread. The bytes must outlive it.
class TiffFile {
 public:
  /// Opens the first directory. If that fails, get() is nullptr and error() says why.
  /// @param max_allocation  most bytes that libtiff may allocate at once
  TiffFile(std::span<const std::byte> bytes, std::uint64_t max_allocation);

  [[nodiscard]] TIFF* get() const noexcept { return handle_.get(); }

  /// The value of a tag that holds one number, or libtiff's default if the file lacks the tag.
  template <typename Number>
  [[nodiscard]] Number number(std::uint32_t tag) const {
    Number value{};
    TIFFGetFieldDefaulted(get(), tag, &value);
    return value;
  }

  /// The first error since forget_messages(); empty if there was none. warning() is likewise the first
  /// warning.
  [[nodiscard]] const std::string& error() const noexcept { return memory_->error; }
  [[nodiscard]] const std::string& warning() const noexcept { return memory_->warning; }
  void forget_messages();

 private:
  /// The state for libtiff's callbacks.
  struct Memory {
    std::span<const std::byte> bytes;
    std::uint64_t position = 0;
    std::string error;
    std::string warning;
  };
  struct Close {
    void operator()(TIFF* handle) const { TIFFClose(handle); }
  };

  static tmsize_t read(thandle_t memory, void* out, tmsize_t count);
  static tmsize_t write(thandle_t memory, void* bytes, tmsize_t count);
  static toff_t seek(thandle_t memory, toff_t offset, int whence);
  static int close(thandle_t memory);
  static toff_t size(thandle_t memory);
  static int keep_error(TIFF* handle, void* memory, const char* module, const char* format,
                        va_list arguments);
  static int keep_warning(TIFF* handle, void* memory, const char* module, const char* format,
                          va_list arguments);

  std::unique_ptr<Memory> memory_;  ///< at a fixed place, because libtiff keeps its address
  std::unique_ptr<TIFF, Close> handle_;
};

}  // namespace headstart
