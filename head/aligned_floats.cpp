// head/aligned_floats.cpp
#include "head/aligned_floats.hpp"

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
  // A hint: without huge pages the solver is slower and right.
  if (alignment == kHugePage) static_cast<void>(madvise(data, rounded, MADV_HUGEPAGE));
  data_.reset(static_cast<float*>(data));
}

}  // namespace headstart
