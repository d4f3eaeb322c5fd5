// memory/aligned_floats.cpp
#include "memory/aligned_floats.hpp"

#include <sys/mman.h>

#include <cstdlib>
#include <limits>
#include <new>

namespace headstart {
namespace {

constexpr std::size_t kCacheLine = 64;
constexpr std::size_t kHugePage = std::size_t{2} << 20U;

}  // namespace

void AlignedFloats::Free::operator()(float* data) const noexcept { std::free(data); }

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
