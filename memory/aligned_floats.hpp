// memory/aligned_floats.hpp: owns a large array of floats on its own cache lines, and on huge pages where the
// system has them. Surprise: the memory is not touched here, so that the thread which first writes a part
// decides where it lives (NUMA).
#pragma once

#include <cstddef>
#include <memory>
#include <span>

namespace headstart {

class AlignedFloats {
 public:
  AlignedFloats() = default;
  /// @param count  may be zero
  /// @throws std::bad_alloc
  explicit AlignedFloats(std::size_t count);

  [[nodiscard]] std::span<float> span() noexcept { return {data_.get(), count_}; }
  [[nodiscard]] std::span<const float> span() const noexcept { return {data_.get(), count_}; }

 private:
  struct Free {
    void operator()(float* data) const noexcept;
  };
  std::unique_ptr<float[], Free> data_;
  std::size_t count_ = 0;
};

/// Asks for huge pages under floats that nothing has touched yet: a page fault for each 4 KiB takes as long
/// as what is done with them. A hint: without it everything is slower and right.
void prefer_huge_pages(std::span<float> floats) noexcept;

}  // namespace headstart
