// memory/aligned_floats.cpp
#include "memory/aligned_floats.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <limits>
#include <new>
#include <string>
#include <system_error>

namespace headstart {
namespace {

constexpr std::size_t kCacheLine = 64;
constexpr std::size_t kHugePage = std::size_t{2} << 20U;

std::system_error file_error(int code, std::size_t bytes, const std::filesystem::path& folder) {
  return {code, std::generic_category(), std::to_string(bytes) + " bytes of rows in " + folder.string()};
}

/// A descriptor of a new file without a name.
int open_nameless(const std::filesystem::path& folder) {
  const int file = open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (file >= 0 || (errno != EOPNOTSUPP && errno != EISDIR)) return file;
  std::string name = (folder / "rows.XXXXXX").string();  // a file system without O_TMPFILE, such as NFS
  const int named = mkostemp(name.data(), O_CLOEXEC);
  if (named >= 0) unlink(name.c_str());
  return named;
}

}  // namespace

void AlignedFloats::Free::operator()(float* data) const noexcept {
  if (mapped > 0)
    munmap(data, mapped);
  else
    std::free(data);
}

AlignedFloats AlignedFloats::in_file(std::size_t count, const std::filesystem::path& folder) {
  AlignedFloats floats;
  floats.count_ = count;
  if (count == 0) return floats;
  if (count > std::numeric_limits<off_t>::max() / sizeof(float)) throw std::bad_alloc();
  const std::size_t bytes = count * sizeof(float);
  const int file = open_nameless(folder);
  if (file < 0) throw file_error(errno, bytes, folder);
  // All of the disk space now: where a later write finds none, the process would end by SIGBUS.
  int code = posix_fallocate(file, 0, static_cast<off_t>(bytes));
  void* data = MAP_FAILED;
  if (code == 0) {
    data = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (data == MAP_FAILED) code = errno;
  }
  close(file);
  if (code != 0) throw file_error(code, bytes, folder);
  floats.data_ = decltype(floats.data_)(static_cast<float*>(data), Free(bytes));
  return floats;
}

AlignedFloats::AlignedFloats(std::size_t count) : count_(count) {
  if (count == 0) return;
  if (count > (std::numeric_limits<std::size_t>::max() - kHugePage) / sizeof(float)) throw std::bad_alloc();
  const std::size_t bytes = count * sizeof(float);
  const std::size_t alignment = bytes >= kHugePage ? kHugePage : kCacheLine;
  const std::size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  void* const data = std::aligned_alloc(alignment, rounded);
  if (data == nullptr) throw std::bad_alloc();
  data_.reset(static_cast<float*>(data));
  prefer_huge_pages({data_.get(), rounded / sizeof(float)});
}

void prefer_huge_pages(std::span<float> floats) noexcept {
  void* begin = floats.data();
  std::size_t bytes = floats.size_bytes();
  // Only whole huge pages: the rest of a page may belong to other data.
  if (std::align(kHugePage, kHugePage, begin, bytes) == nullptr) return;
  static_cast<void>(madvise(begin, bytes / kHugePage * kHugePage, MADV_HUGEPAGE));
}

}  // namespace headstart
