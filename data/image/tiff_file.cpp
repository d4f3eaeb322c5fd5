// data/image/tiff_file.cpp: since version 4.5 libtiff has message handlers for each handle, so that threads
// share nothing.
#include "data/image/tiff_file.hpp"

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <limits>

namespace headstart {
namespace {

struct FreeOptions {
  void operator()(TIFFOpenOptions* options) const { TIFFOpenOptionsFree(options); }
};

std::string message_of(const char* format, va_list arguments) {
  std::array<char, 160> text{};
  std::vsnprintf(text.data(), text.size(), format, arguments);
  return text.data();
}

}  // namespace

TiffFile::TiffFile(std::span<const std::byte> bytes, std::uint64_t max_allocation)
    : memory_(std::make_unique<Memory>()) {
  memory_->bytes = bytes;
  const std::unique_ptr<TIFFOpenOptions, FreeOptions> options(TIFFOpenOptionsAlloc());
  if (options == nullptr) throw std::bad_alloc();
  TIFFOpenOptionsSetErrorHandlerExtR(options.get(), keep_error, memory_.get());
  TIFFOpenOptionsSetWarningHandlerExtR(options.get(), keep_warning, memory_.get());
  constexpr std::uint64_t kMost = std::numeric_limits<tmsize_t>::max();
  TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(), static_cast<tmsize_t>(std::min(max_allocation, kMost)));
  // m: no memory map. libtiff would ask for the whole file's bytes, but it reads only what it needs.
  handle_.reset(TIFFClientOpenExt("TIFF", "rm", memory_.get(), read, write, seek, close, size, nullptr,
                                  nullptr, options.get()));
}

void TiffFile::forget_messages() {
  memory_->error.clear();
  memory_->warning.clear();
}

tmsize_t TiffFile::read(thandle_t memory, void* out, tmsize_t count) {
  auto& file = *static_cast<Memory*>(memory);
  if (count <= 0 || file.position >= file.bytes.size()) return 0;
  const std::uint64_t taken =
      std::min<std::uint64_t>(static_cast<std::uint64_t>(count), file.bytes.size() - file.position);
  std::memcpy(out, file.bytes.data() + file.position, taken);
  file.position += taken;
  return static_cast<tmsize_t>(taken);
}

tmsize_t TiffFile::write(thandle_t, void*, tmsize_t) { return -1; }

toff_t TiffFile::seek(thandle_t memory, toff_t offset, int whence) {
  auto& file = *static_cast<Memory*>(memory);
  const std::uint64_t start = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? file.position : file.bytes.size();
  file.position = start + offset;  // may wrap around for a negative offset
  return file.position;
}

int TiffFile::close(thandle_t) { return 0; }

toff_t TiffFile::size(thandle_t memory) { return static_cast<Memory*>(memory)->bytes.size(); }

int TiffFile::keep_error(TIFF*, void* memory, const char*, const char* format, va_list arguments) {
  std::string& error = static_cast<Memory*>(memory)->error;
  if (error.empty()) error = message_of(format, arguments);
  return 1;  // no other handler gets the message
}

int TiffFile::keep_warning(TIFF*, void* memory, const char*, const char* format, va_list arguments) {
  std::string& warning = static_cast<Memory*>(memory)->warning;
  if (warning.empty()) warning = message_of(format, arguments);
  return 1;
}

}  // namespace headstart
